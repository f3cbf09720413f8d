import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError } from "@connectrpc/connect";
import { RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { fullJitter } from "../../base/backoff.ts";
import type { Random } from "../../base/random.ts";
import { errorReason } from "../../call/errors.ts";
import { headers } from "../../call/headers.ts";
import type { RetryRules } from "../../call/policy.ts";
import type { Progress } from "../../call/progress.ts";

/** What is known when an attempt has failed. */
export interface FailedAttempt {
  /** Counted from 1. */
  readonly attempt: number;
  readonly error: ConnectError;
  readonly progress: Progress;
  /** Whether an endpoint is left that this call has not tried. */
  readonly elsewhere: boolean;
  /** Time the call has left, in milliseconds; `Infinity` without a deadline. */
  readonly remainingMs: number;
}

/** What to do about it: stop, or wait so long and send again; `free` costs the budget nothing. */
export type RetryDecision =
  | { readonly kind: "stop"; readonly why: string }
  | { readonly kind: "again"; readonly waitMs: number; readonly free: boolean };

/** Decides about failed attempts of one method. */
export type RetryPolicy = (failed: FailedAttempt) => RetryDecision;

/** Attempts at which what was not processed is given up too (gRFC A6 caps attempts at 5). */
const maxUnprocessedAttempts = 5;

const stop = (why: string): RetryDecision => ({ kind: "stop", why });

/** The contract's rules. What provably was not processed may always go out again; the rest as the contract allows. */
export function contractRetry(rules: RetryRules, random: Random): RetryPolicy {
  const backoffMs = fullJitter({ initialMs: rules.initialBackoffMs, maxMs: rules.maxBackoffMs, random });
  return ({ attempt, error, progress, elsewhere, remainingMs }) => {
    const unprocessed = progress !== "processed";
    const pushbackMs = pushbackOf(error);
    const refused = unprocessed ? unprocessedRefusal(attempt, error) : refusal(rules, attempt, error);
    if (refused) return stop(refused);
    if (pushbackMs === "never") return stop("the server asked not to be asked again");
    const waitMs = pushbackMs ?? (unprocessed && elsewhere ? 0 : backoffMs(attempt));
    if (waitMs >= remainingMs) return stop("the deadline leaves no time for another attempt");
    return { kind: "again", waitMs, free: unprocessed };
  };
}

/** What was not processed may go out again, except where every circuit is open: that is to fail fast. */
function unprocessedRefusal(attempt: number, error: ConnectError): string | undefined {
  if (errorReason(error)?.reason === "CIRCUIT_OPEN") return "every circuit is open";
  return attempt >= maxUnprocessedAttempts ? "attempts used up" : undefined;
}

function refusal(rules: RetryRules, attempt: number, error: ConnectError): string | undefined {
  if (rules.maxAttempts === 1) return "the contract does not allow a repeat";
  if (attempt >= rules.maxAttempts) return "attempts used up";
  if (!rules.codes.has(error.code)) return "the code is not worth another attempt";
  if (error.code === Code.ResourceExhausted && pushbackOf(error) === undefined) return "the server is out of resources";
  return undefined;
}

/** When the server asks to be asked again, in milliseconds: by gRPC's trailer, or by RetryInfo. */
function pushbackOf(error: ConnectError): number | "never" | undefined {
  const told = error.metadata.get(headers.retryPushback);
  if (told !== null) return /^\d{1,9}$/.test(told) ? Number(told) : "never"; // gRFC A6: malformed means never
  const [info] = error.findDetails(RetryInfoSchema);
  return info?.retryDelay && durationMs(info.retryDelay);
}
