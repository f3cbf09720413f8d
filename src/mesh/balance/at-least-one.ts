import type { Candidate } from "./picker.ts";

/** The candidates, or RangeError if there is none: who has nobody to choose among must not ask. */
export function atLeastOne<T extends Candidate>(candidates: readonly T[]): readonly T[] {
  if (candidates.length === 0) throw new RangeError("a balancer was asked to choose among no candidates");
  return candidates;
}
