import { type Random, systemRandom } from "./random.ts";

/** Ceilings of a wait, and the dice that choose below them. */
export interface BackoffOptions {
  /** Ceiling of the first wait, in milliseconds. */
  readonly initialMs: number;
  /** Ceiling that doubling never passes, in milliseconds. */
  readonly maxMs: number;
  readonly random?: Random;
}

/**
 * Full-jitter backoff: the ceiling doubles with each attempt (counted from 1), the wait in milliseconds is anywhere
 * below it, so that those who failed together do not come back together.
 */
export function fullJitter({ initialMs, maxMs, random = systemRandom }: BackoffOptions): (attempt: number) => number {
  return (attempt) => random() * Math.min(maxMs, initialMs * 2 ** (attempt - 1));
}
