import { expect, test } from "vitest";
import { formatGrpcTimeout, parseGrpcTimeout } from "./deadline.ts";

test.each([
  [1_000, "1000m"],
  [400.9, "400m"],
  [0.2, "1m"],
  [0, "1m"],
  [-5, "1m"],
  [99_999_999, "99999999m"],
  [100_000_000, "100000S"],
  [Number.MAX_SAFE_INTEGER, "99999999S"],
  [Number.POSITIVE_INFINITY, "99999999S"],
])("%d ms are written as %s", (ms, header) => {
  expect(formatGrpcTimeout(ms)).toBe(header);
});

test.each([
  ["1H", 3_600_000],
  ["2M", 120_000],
  ["3S", 3_000],
  ["4m", 4],
  ["5000u", 5],
  ["6000000n", 6],
  ["0m", 0],
  ["99999999H", 99_999_999 * 3_600_000],
])("%s is read as %d ms", (header, ms) => {
  expect(parseGrpcTimeout(header)).toBeCloseTo(ms, 9);
});

test.each(["", "m", "10", "10s", "10 m", "-1m", "1.5S", "123456789m", "10mm", "1m,2m"])("%j is malformed", (header) =>
  expect(parseGrpcTimeout(header)).toBeUndefined(),
);
