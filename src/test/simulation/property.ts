import type { World, WorldOptions } from "../../testing/sim/world.ts";

/** Something that has to hold in every world, whatever its seed. */
export interface Property {
  /** What `--property` calls it. */
  readonly name: string;
  /** The sentence. */
  readonly says: string;
  /** Runs the world, and throws if it does not hold. */
  readonly scenario: (world: World) => Promise<void>;
  readonly world?: Omit<WorldOptions, "seed">;
}

/** Throws with `what` unless it holds. */
export function holds(isSo: boolean, what: string): asserts isSo {
  if (!isSo) throw new Error(what);
}
