import type { Random } from "../../base/random.ts";
import { atLeastOne } from "./at-least-one.ts";
import type { Balancer, Candidate } from "./picker.ts";
import { TwoChoices } from "./two-choices.ts";

/**
 * The one of two where an attempt costs less: it avoids what is slow, busy or has failed, and finds out within a few
 * attempts. Attempts under way count by the share: twice the share may have twice as many.
 */
export function peakEwma(random: Random): Balancer {
  return { picker: (candidates) => new TwoChoices(atLeastOne(candidates), costByShare, random) };
}

/** Cost, as if the candidate had an even share and as many attempts under way for it. */
function costByShare(candidate: Candidate, relative: number, now: number): number {
  const cost = candidate.cost(now);
  if (relative === 1) return cost;
  const { inFlight } = candidate;
  return (cost * (inFlight / relative + 1)) / (inFlight + 1);
}
