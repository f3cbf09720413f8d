import type { Random } from "../../base/random.ts";
import { atLeastOne } from "./at-least-one.ts";
import type { Balancer, Candidate } from "./picker.ts";
import { TwoChoices } from "./two-choices.ts";

/** The one of two with fewer attempts under way for its share. It knows nothing of latency and failures. */
export function leastRequest(random: Random): Balancer {
  return { picker: (candidates) => new TwoChoices(atLeastOne(candidates), attemptsOf, random) };
}

function attemptsOf({ inFlight }: Candidate): number {
  return inFlight + 1;
}
