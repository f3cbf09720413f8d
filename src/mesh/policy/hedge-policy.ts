import type { HedgeRules } from "../../call/policy.ts";
import type { Latency } from "./latency.ts";
import type { Pushback } from "./pushback.ts";

/** What is known when the next hedge of a call is to be planned. */
export interface HedgeFacts {
  /** Hedges sent so far. */
  readonly extras: number;
  /** What the server said when the last attempt failed; `undefined`, nothing. */
  readonly pushback: Pushback;
  /** On how many hops above, on whose behalf this call is made, it is a repeat that is under way. */
  readonly retryDepth: number;
  /** Time the call has left, in milliseconds; `Infinity` without a deadline. */
  readonly remainingMs: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Nobody gains by racing what takes less. */
const minDelayMs = 1;

/**
 * Milliseconds from now until a slow attempt is raced by another; `undefined`, not at all: hedges are used up, the
 * deadline is sooner, a hop above repeats the call already, or nothing is known yet of how long such calls take.
 *
 * Pushback is obeyed as gRFC A6 has it: it says when the next hedge may go, and a negative one ends hedging.
 * https://github.com/grpc/proposal/blob/master/A6-client-retries.md#hedging-policy
 */
export function hedgeDelayMs(rules: HedgeRules, latency: Latency, facts: HedgeFacts): number | undefined {
  const { extras, pushback, retryDepth, remainingMs, now } = facts;
  if (extras >= rules.maxExtra || retryDepth > 0 || pushback === "never") return undefined;
  const delayMs = pushback ?? usualDelayMs(rules, latency, now);
  return delayMs === undefined || delayMs >= remainingMs ? undefined : delayMs;
}

function usualDelayMs({ after }: HedgeRules, latency: Latency, now: number): number | undefined {
  if ("delayMs" in after) return after.delayMs;
  const observedMs = latency.quantile(after.percentile / 100, now);
  return observedMs && Math.max(minDelayMs, observedMs);
}
