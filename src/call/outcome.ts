import { Code, ConnectError } from "@connectrpc/connect";

/**
 * What an attempt's end says about the endpoint: `ok`, it works, be its answer that the caller has made a mistake;
 * `failure`, it does not; `neither`, nothing, for the caller gave up.
 */
export type Verdict = "ok" | "failure" | "neither";

/** How an attempt ended, and how fast. */
export interface Outcome {
  readonly verdict: Verdict;
  /** `undefined` for success. */
  readonly code: Code | undefined;
  readonly durationMs: number;
}

/**
 * The code of an end: `undefined` for a good one. Where the call's signal has aborted, the signal says why, and whatever
 * reason its caller gave for giving up, the call was canceled. Anything else that is not a ConnectError is INTERNAL.
 */
export function codeOf(reason: unknown, signal: Pick<AbortSignal, "aborted" | "reason">): Code | undefined {
  if (reason === undefined) return undefined;
  if (signal.aborted) return ConnectError.from(signal.reason, Code.Canceled).code;
  return ConnectError.from(reason, Code.Internal).code;
}

/** "OK", "NOT_FOUND": a code as gRPC spells it. */
export function codeName(code: Code | undefined): string {
  if (code === Code.Canceled) return "CANCELLED"; // the one that Connect spells otherwise
  return code === undefined ? "OK" : (Code[code] ?? "Unknown").replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

const failures: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.Internal,
  Code.Unknown,
  Code.DataLoss,
  Code.ResourceExhausted,
]);

/** What a code says about the endpoint that answered with it. A caller's own error proves the endpoint well. */
export function verdictOf(code: Code | undefined): Verdict {
  if (code === Code.Canceled) return "neither";
  return code !== undefined && failures.has(code) ? "failure" : "ok";
}
