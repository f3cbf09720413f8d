import { simulate } from "../../testing/sim/simulate.ts";
import type { Property } from "./property.ts";
import { runWorlds } from "./threads.ts";

/** Time enough for many worlds on a busy machine. */
export const manyWorldsMs = 180_000;

/** Runs a property's worlds, from seed 1 on. One that breaks it fails, with the command that shows it again. */
export async function hold({ name, scenario, world }: Property, seeds: number): Promise<void> {
  let ran = 0;
  let broken = Number.POSITIVE_INFINITY;
  await runWorlds({ property: name, first: 1, seeds, forMs: manyWorldsMs }, ({ seed, problem }) => {
    ran++;
    if (problem !== undefined) broken = Math.min(broken, seed);
  });
  const replay = (seed: number) => `make simulate ARGS="--property ${name} --seed ${seed}"`;
  if (broken < Number.POSITIVE_INFINITY) await simulate({ ...world, seed: broken, replay }, scenario);
  if (broken < Number.POSITIVE_INFINITY) throw new Error(`seed ${broken} broke, and did not when it ran again`);
  if (ran !== seeds) throw new Error(`${ran} worlds of ${seeds} ran`);
}
