import { expect, test } from "vitest";
import { seededRandom, systemRandom } from "./random.ts";

test("the same seed falls the same way, another seed another way", () => {
  const thrown = (seed: number) => Array.from({ length: 20 }, seededRandom(seed));
  expect(thrown(1)).toEqual(thrown(1));
  expect(thrown(1)).not.toEqual(thrown(2));
});

test.each([
  ["seeded", seededRandom(42)],
  ["the machine's", systemRandom],
])("%s dice fall evenly from 0 up to 1", (_, random) => {
  const thrown = Array.from({ length: 10_000 }, random);
  expect(Math.min(...thrown)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...thrown)).toBeLessThan(1);
  expect(thrown.reduce((sum, value) => sum + value) / thrown.length).toBeCloseTo(0.5, 1);
});
