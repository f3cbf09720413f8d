import { expect, test } from "vitest";
import { slowStartRatio } from "./slow-start.ts";

test("a newcomer has a tenth of its share at first, half at 13 s, all of it after half a minute", () => {
  expect(slowStartRatio(1_000, 1_000, 30_000)).toBeCloseTo(0.1);
  expect(slowStartRatio(1_000, 14_333, 30_000)).toBeCloseTo(0.5);
  expect(slowStartRatio(1_000, 31_000, 30_000)).toBe(1);
  expect(slowStartRatio(1_000, 3_600_000, 30_000)).toBe(1);
});

test("on a clock that has stepped back it is a newcomer still", () => {
  expect(slowStartRatio(1_000_000, 0, 30_000)).toBeCloseTo(0.1);
});
