import type { MethodPolicy } from "../../call/policy.ts";

/** How often one caller may call a method, as its contract says. */
export type RateLimit = NonNullable<MethodPolicy["rateLimit"]>;

/** What came of asking a bucket for a token. */
export interface Draw {
  /** How long until there is one, in milliseconds; 0, one was taken. */
  readonly waitMs: number;
  /** How long until the bucket is full, if nobody takes any more, in milliseconds. */
  readonly fullInMs: number;
}

/** Instants are so large that a double rounds them by a quarter of this, in milliseconds. */
const toleranceMs = 0.001;

/** How long a bucket takes to earn one token. */
export function tokenMs({ calls, periodMs }: RateLimit): number {
  return periodMs / calls;
}

/**
 * A token bucket of which nothing has to be remembered but when it will be full ("generic cell rate algorithm"): one that
 * is full, or was never seen, need not be remembered at all. Over any time t it gives burst + calls / period × t tokens.
 */
export function draw(limit: RateLimit, fullAt: number | undefined, now: number): Draw {
  const perToken = tokenMs(limit);
  const capacityMs = limit.burst * perToken;
  const fullInMs = Math.min(capacityMs, Math.max(0, (fullAt ?? now) - now)); // a limit, or a clock, may have changed
  const waitMs = fullInMs + perToken - capacityMs;
  return waitMs > toleranceMs ? { waitMs, fullInMs } : { waitMs: 0, fullInMs: fullInMs + perToken };
}

/** The tokens in a bucket that takes so long to be full. */
export function tokensLeft(limit: RateLimit, fullInMs: number): number {
  return Math.max(0, Math.floor(limit.burst - fullInMs / tokenMs(limit) + 1e-6));
}
