import { expect, test } from "vitest";
import { runWorld } from "../../testing/sim/simulate.ts";
import { manyWorldsMs } from "./hold.ts";
import { properties } from "./properties.ts";

test.each(properties)(
  "a seed of $name makes the same world each time, to the byte",
  async ({ scenario, world }) => {
    for (const seed of [11, 12, 13]) {
      const [first, second] = [
        await runWorld({ ...world, seed }, scenario),
        await runWorld({ ...world, seed }, scenario),
      ];
      expect(second.text).toBe(first.text);
      expect(second.sum).toBe(first.sum);
    }
  },
  manyWorldsMs,
);

test.each(properties)(
  "another seed of $name makes another world",
  async ({ scenario, world }) => {
    const [first, second] = [
      await runWorld({ ...world, seed: 14 }, scenario),
      await runWorld({ ...world, seed: 15 }, scenario),
    ];
    expect(second.sum).not.toBe(first.sum);
  },
  manyWorldsMs,
);
