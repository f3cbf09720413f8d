import { expect, test } from "vitest";
import { fieldOf, fieldsOf, headersOf } from "./fields.ts";

test("headers become fields behind the pseudo ones, without those of an HTTP/1.1 connection", () => {
  const headers = new Headers({ "content-type": "text/plain", connection: "close", "transfer-encoding": "chunked" });
  expect(fieldsOf([":status", "200"], headers)).toEqual([":status", "200", "content-type", "text/plain"]);
});

test("a repeated binary field leaves as one field a value, a repeated text field as one in all", () => {
  const headers = new Headers();
  for (const value of ["AP+A", "Bw"]) headers.append("key-bin", value);
  for (const value of ["a", "b"]) headers.append("word", value);
  expect(fieldsOf([], headers)).toEqual(["key-bin", "AP+A", "key-bin", "Bw", "word", "a, b"]);
});

test("fields become headers without the pseudo ones, and a pseudo one can be asked for", () => {
  const fields = [":method", "POST", "a", "1", "a", "2"];
  expect([...headersOf(fields)]).toEqual([["a", "1, 2"]]);
  expect([fieldOf(fields, ":method"), fieldOf(fields, ":path")]).toEqual(["POST", undefined]);
});
