import { expect, test } from "vitest";
import { fullJitter } from "./backoff.ts";
import { seededRandom } from "./random.ts";

test("the ceiling doubles from the first wait and never passes the most", () => {
  const highest = fullJitter({ initialMs: 25, maxMs: 250, random: () => 1 });
  expect([1, 2, 3, 4, 5, 6, 2_000].map(highest)).toEqual([25, 50, 100, 200, 250, 250, 250]);
});

test("every wait lies between nothing and its ceiling, and they differ", () => {
  const backoffMs = fullJitter({ initialMs: 100, maxMs: 400, random: seededRandom(7) });
  const waits = Array.from({ length: 200 }, () => backoffMs(3));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...waits)).toBeLessThan(400);
  expect(new Set(waits).size).toBeGreaterThan(190);
});
