import type { Random } from "../../base/random.ts";
import { atLeastOne } from "./at-least-one.ts";
import type { Balancer, Candidate } from "./picker.ts";
import { TwoChoices } from "./two-choices.ts";

/**
 * The one of two where an attempt costs less: it avoids what is slow, busy or has failed, and finds out within a few
 * attempts.
 */
export function peakEwma(random: Random): Balancer {
  return { picker: (candidates) => new TwoChoices(atLeastOne(candidates), costOf, random) };
}

function costOf(candidate: Candidate, now: number): number {
  return candidate.cost(now);
}
