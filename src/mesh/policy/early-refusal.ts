import type { Latency } from "./latency.ts";

/**
 * Why a call with so little time left need not be sent, in words that follow its name; `undefined` when it should be.
 *
 * Half of the calls of late have to take longer, and half of those of the last seconds, too: once all are refused
 * nothing is learned any more, so after a few seconds without news some go again and tell whether it still is so.
 */
export function tooLate(remainingMs: number, latency: Latency, now: number): string | undefined {
  const usualMs = latency.quantile(0.5, now);
  if (usualMs === undefined || remainingMs >= usualMs) return undefined;
  const recentMs = latency.recent(0.5, now);
  if (recentMs === undefined || remainingMs >= recentMs) return undefined;
  return `has ${inMs(remainingMs)} left, and half of its calls take ${inMs(usualMs)} or more`;
}

function inMs(ms: number): string {
  return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`;
}
