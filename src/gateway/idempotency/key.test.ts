import { expect, test } from "vitest";
import { readKey } from "./key.ts";

test.each([
  ['"8e03978e-40d5-43e8-bc93-6894a57f9324"', "8e03978e-40d5-43e8-bc93-6894a57f9324"],
  ["8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"],
  ['"a \\"b\\" \\\\c, d"', 'a "b" \\c, d'],
  ["order:42/a=b", "order:42/a=b"],
  ["x".repeat(255), "x".repeat(255)],
])("%s stands for the key %s", (value, key) => {
  expect(readKey(value)).toBe(key);
});

test.each(["", '""', '"a', 'a"', "a b", "a, b", '"a", "b"', '"é"', '"\\a"', "x".repeat(256), `"${"x".repeat(256)}"`])(
  "%j is no key, and the problem says what one looks like",
  (value) => {
    expect(readKey(value)).toEqual({ problem: expect.stringMatching(/^Idempotency-Key has to be .* such as "8e0/) });
  },
);
