import { simulate } from "../../testing/sim/simulate.ts";
import type { Property } from "./property.ts";

/** Time enough for many worlds on a busy machine. */
export const manyWorldsMs = 180_000;

/** Runs a property's worlds, from seed 1 on. The first that breaks it fails, with the command that shows it again. */
export function hold({ name, scenario, world }: Property, seeds: number): Promise<void> {
  const replay = (seed: number) => `make simulate ARGS="--property ${name} --seed ${seed}"`;
  return simulate({ ...world, seeds, replay }, scenario);
}
