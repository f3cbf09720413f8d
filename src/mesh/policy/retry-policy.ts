import { Code, type ConnectError } from "@connectrpc/connect";
import { fullJitter } from "../../base/backoff.ts";
import type { Random } from "../../base/random.ts";
import { errorReason } from "../../call/errors.ts";
import type { RetryRules } from "../../call/policy.ts";
import type { Progress } from "../../call/progress.ts";
import { type Pushback, pushbackOf } from "./pushback.ts";

/** What is known when an attempt has failed. */
export interface FailedAttempt {
  /** Counted from 1. */
  readonly attempt: number;
  readonly error: ConnectError;
  readonly progress: Progress;
  /** Whether an endpoint is left that this call has not tried. */
  readonly elsewhere: boolean;
  /** On how many hops above, on whose behalf this call is made, it is a repeat that is under way. */
  readonly retryDepth: number;
  /** Time the call has left, in milliseconds; `Infinity` without a deadline. */
  readonly remainingMs: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What to do about it: stop, or wait so long and send again; `free` costs the budget nothing. `why` is for people. */
export type RetryDecision =
  | { readonly kind: "stop"; readonly why: string }
  | { readonly kind: "again"; readonly waitMs: number; readonly free: boolean; readonly why: string };

/** Decides about failed attempts of one method. */
export type RetryPolicy = (failed: FailedAttempt) => RetryDecision;

/** Attempts at which what was not processed is given up too (gRFC A6 caps attempts at 5). */
const maxUnprocessedAttempts = 5;

const stop = (why: string): RetryDecision => ({ kind: "stop", why });

/** The contract's rules. What provably was not processed may always go out again; the rest as the contract allows. */
export function contractRetry(rules: RetryRules, random: Random): RetryPolicy {
  const backoffMs = fullJitter({ initialMs: rules.initialBackoffMs, maxMs: rules.maxBackoffMs, random });
  return (failed) => {
    const pushback = pushbackOf(failed.error, failed.now);
    const free = failed.progress !== "processed";
    const refused = free ? unprocessedRefusal(failed) : refusal(rules, failed, pushback);
    if (refused) return stop(refused);
    if (pushback === "never") return stop("the server asked not to be asked again");
    const waitMs = pushback ?? (free && failed.elsewhere ? 0 : backoffMs(failed.attempt));
    if (waitMs >= failed.remainingMs) return stop("the deadline leaves no time for another attempt");
    return { kind: "again", waitMs, free, why: reasonFor(failed, pushback) };
  };
}

/** What was not processed may go out again, except where every circuit is open: that is to fail fast. */
function unprocessedRefusal({ attempt, error }: FailedAttempt): string | undefined {
  if (errorReason(error)?.reason === "CIRCUIT_OPEN") return "every circuit is open";
  return attempt >= maxUnprocessedAttempts ? "attempts used up" : undefined;
}

/** Repeats below a repeat multiply: three hops of three attempts each are 27 sends. */
function refusal(rules: RetryRules, failed: FailedAttempt, pushback: Pushback): string | undefined {
  const { attempt, error, retryDepth } = failed;
  if (rules.maxAttempts === 1) return "the contract does not allow a repeat";
  if (attempt >= rules.maxAttempts) return "attempts used up";
  if (!rules.codes.has(error.code)) return "the code is not worth another attempt";
  if (retryDepth >= rules.maxDepth) return "a hop above is repeating this already";
  if (error.code === Code.ResourceExhausted && pushback === undefined) return "the server is out of resources";
  return undefined;
}

function reasonFor({ progress, elsewhere }: FailedAttempt, pushback: Pushback): string {
  if (pushback !== undefined) return "after as long as the server asked for";
  if (progress === "processed") return "the contract allows a repeat";
  return elsewhere ? "it was not processed, and another endpoint is left" : "it was not processed";
}
