import { expect, test } from "vitest";
import { atLeast, atMost, holds, verdict } from "./figure.ts";

const figure = { what: "calls lost", toReach: "0" };

test("what is reached both ways is met", () => {
  const readings = { simulated: atMost(0.2, 0.2, ""), real: atLeast(0.9, 0.95, "") };
  expect(verdict({ ...figure, ...readings })).toBe("met");
  expect(verdict({ ...figure, real: holds(true, "") })).toBe("met");
});

test("what is missed says by how much, and which way", () => {
  expect(verdict({ ...figure, simulated: atMost(2, 1, ""), real: atMost(2, 3, "") })).toBe(
    "simulated: met, real: MISSED by 50 %",
  );
  expect(verdict({ ...figure, real: atLeast(0.9, 0.45, "") })).toBe("real: MISSED by 50 %");
});

test("of nothing may be lost, each that is counts", () => {
  expect(atMost(0, 0, "").missedBy).toBe(0);
  expect(atMost(0, 1, "").missedBy).toBeGreaterThan(0);
});

test("what could not be measured is not met", () => {
  expect(verdict({ ...figure, real: atMost(2, Number.NaN, "") })).toBe("real: MISSED");
});
