import type { FaultKind } from "./faults/happening.ts";
import type { AttemptKind, Choice, LeftOut } from "./story.ts";

/** What happened to a call, for programs: what `JSON.stringify` makes of an explanation. Spans in milliseconds. */
export interface ExplainedCall {
  /** "shop.user.v1.UserService/GetUser". */
  readonly method: string;
  /** 32 hexadecimal digits; unset for a call that is in no trace. */
  readonly traceId?: string;
  /** When it began, in milliseconds since the epoch, as the calendar had it. */
  readonly startedAt: number;
  /** "under way", "streaming" (the answer has begun and goes on), "answered", "fallback", or a code: "UNAVAILABLE". */
  readonly outcome: string;
  /** When the answer to a stream began, counted from the beginning of the call. */
  readonly answeredMs?: number;
  /** What the error said; of a fallback, why nobody could be asked. */
  readonly error?: string;
  /** The time that it was given. */
  readonly allowedMs?: number;
  readonly time: ExplainedTime;
  readonly attempts: readonly ExplainedAttempt[];
  /** What was decided beside where to send, in order. */
  readonly decisions: readonly ExplainedDecision[];
}

/** A call in a line. */
export interface CallSummary extends Pick<ExplainedCall, "method" | "traceId" | "startedAt" | "outcome" | "error"> {
  readonly totalMs: number;
  /** How many attempts there were. */
  readonly attempts: number;
}

/** A call in a line. */
export function summaryOf(call: ExplainedCall): CallSummary {
  const { method, traceId, startedAt, outcome, error, time, attempts } = call;
  return {
    method,
    ...(traceId !== undefined && { traceId }),
    startedAt,
    outcome,
    ...(error !== undefined && { error }),
    totalMs: time.totalMs,
    attempts: attempts.length,
  };
}

/** Where the time of a call went. */
export interface ExplainedTime {
  readonly totalMs: number;
  /** Before the first attempt: for a place among the calls under way, or until an endpoint was known. */
  readonly beforeMs: number;
  /** With at least one attempt under way. */
  readonly attemptsMs: number;
  /** Between attempts, and after the last. */
  readonly betweenMs: number;
}

/** One attempt. `startedMs` and `endedMs` count from the beginning of the call. */
export interface ExplainedAttempt {
  /** Counted from 1. */
  readonly number: number;
  readonly kind: AttemptKind;
  /** What people call the service, and "host:port" of the endpoint. */
  readonly name: string;
  readonly address: string;
  readonly startedMs: number;
  /** Unset while it is under way. */
  readonly endedMs?: number;
  /** How long it might take. */
  readonly timeoutMs?: number;
  /** "under way", "streaming", "answered", "given up" (the call needed it no longer), or a code. */
  readonly outcome: string;
  readonly error?: string;
  /** How many endpoints it was picked from, by which rule; those whose cost is known, and those that were left alone. */
  readonly among: number;
  readonly rule: Choice["rule"];
  readonly candidates: readonly { readonly address: string; readonly costMs: number }[];
  readonly leftOut: readonly LeftOut[];
  /** Why its end opened the endpoint's circuit. */
  readonly opened?: string;
  /** What was done to it on purpose. */
  readonly fault?: FaultKind;
}

/** What was decided, after the attempt of that number; 0, before the first. */
export interface ExplainedDecision {
  readonly atMs: number;
  readonly after: number;
  readonly what: string;
}
