/** How often an event is handed to its handlers, and how long it waits in between. */
export interface RetryLimits {
  /** The first try included. */
  readonly maxAttempts: number;
  readonly initialMs: number;
  readonly maxMs: number;
}

/** Five tries within about two seconds: what is not mended by then wants somebody to look. */
export const defaultRetryLimits: RetryLimits = { maxAttempts: 5, initialMs: 100, maxMs: 5_000 };

/** The wait after so many failed tries, or `undefined` to give up. */
export function waitAfter(attempts: number, { maxAttempts, initialMs, maxMs }: RetryLimits): number | undefined {
  return attempts >= maxAttempts ? undefined : Math.min(maxMs, initialMs * 2 ** (attempts - 1));
}
