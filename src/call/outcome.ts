import { Code } from "@connectrpc/connect";

/**
 * What an attempt's end says about the endpoint: `ok`, it works; `failure`, it does not; `neither`, the caller gave up
 * or the answer is the caller's own doing, which says that something is alive there but counts for nothing.
 */
export type Verdict = "ok" | "failure" | "neither";

/** How an attempt ended, and how fast. */
export interface Outcome {
  readonly verdict: Verdict;
  /** `undefined` for success. */
  readonly code: Code | undefined;
  readonly durationMs: number;
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
