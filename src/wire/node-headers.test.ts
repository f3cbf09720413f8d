import { expect, test } from "vitest";
import { apart } from "./node-headers.ts";

test("binary values that were joined leave one by one, others as they are", () => {
  const headers = { "key-bin": "AP+A, Bw", "one-bin": "AP+A", word: "a, b" };
  expect(apart(headers)).toEqual({ "key-bin": ["AP+A", "Bw"], "one-bin": "AP+A", word: "a, b" });
  expect(headers["key-bin"]).toBe("AP+A, Bw");
});
