import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { cutPage, readPage } from "./page-token.ts";

const rows = ["a", "b", "c"];
const key = (row: string) => row;

test("a page that has another after it names it", () => {
  const first = readPage({ pageSize: 2, pageToken: "" }, "letters");
  const cut = cutPage(rows, first, "letters", key);
  expect(cut.rows).toEqual(["a", "b"]);
  expect(readPage({ pageSize: 2, pageToken: cut.nextPageToken }, "letters")).toEqual({ limit: 2, after: "b" });
});

test("the last page names none", () => {
  expect(cutPage(rows, { limit: 3, after: undefined }, "letters", key)).toEqual({ rows, nextPageToken: "" });
  expect(cutPage([], { limit: 3, after: undefined }, "letters", key)).toEqual({ rows: [], nextPageToken: "" });
});

test("a page has 50 rows unless the request says otherwise", () => {
  expect(readPage({ pageSize: 0, pageToken: "" }, "letters")).toEqual({ limit: 50, after: undefined });
});

test("a token that is garbage, garbled, or of another list is refused by its field's name", () => {
  const { nextPageToken } = cutPage(rows, { limit: 1, after: undefined }, "letters", key);
  const garbled = nextPageToken.slice(0, -1) + (nextPageToken.endsWith("A") ? "B" : "A");
  for (const pageToken of ["garbage", "!!", "AAAAAAAAAAAA", `${nextPageToken}==`, garbled]) {
    const refused = expect.objectContaining({
      code: Code.InvalidArgument,
      rawMessage: expect.stringContaining("page_token"),
    });
    expect(() => readPage({ pageSize: 2, pageToken }, "letters")).toThrow(refused);
  }
  expect(() => readPage({ pageSize: 2, pageToken: nextPageToken }, "digits")).toThrow(/page_token/);
});
