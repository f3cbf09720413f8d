import { expect, test } from "vitest";
import { parseGoDuration } from "./go-duration.ts";

test.each([
  ["10s", 10_000],
  ["2s", 2_000],
  ["500ms", 500],
  ["1m", 60_000],
  ["1m30s", 90_000],
  ["1.5h", 5_400_000],
  ["0s", 0],
  ["", undefined],
])("%s is %s ms", (text, ms) => {
  expect(parseGoDuration(text)).toBe(ms);
});
