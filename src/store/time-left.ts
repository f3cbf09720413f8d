import type { Clock } from "../base/clock.ts";
import { currentCall, runInCall } from "../call/context.ts";

/** How long a statement may take that no call waits for: background work that hangs has to be seen some day. */
export const uncalledMs = 30_000;
const leastMarginMs = 5;
const mostMarginMs = 100;

/** How long what is asked of the database now may take: what its call has left, by the clock that calls go by. */
export function timeLeftMs(clock: Clock): number {
  return leftUntil(callDeadline(), clock);
}

/** How long what is asked may take that is to be answered by then; nothing is a deadline of no call. */
export function leftUntil(deadlineAt: number | undefined, clock: Clock): number {
  return deadlineAt === undefined ? uncalledMs : deadlineAt - clock.now();
}

/** When the time of the call is over that is being handled; nothing outside of one, and in one without a deadline. */
export function callDeadline(): number | undefined {
  return currentCall()?.deadlineAt;
}

/**
 * How long the database itself may take when `leftMs` are left: a tenth less, so that its answer is back in time. Whole
 * milliseconds, at least one.
 */
export function statementMs(leftMs: number): number {
  if (leftMs === uncalledMs) return uncalledMs;
  const marginMs = Math.min(mostMarginMs, Math.max(leastMarginMs, leftMs / 10));
  return Math.max(1, Math.floor(leftMs - marginMs));
}

/** Runs `work` with all the time it takes: migrations, for one, which build an index over a large table in minutes. */
export function withoutLimit<T>(work: () => T): T {
  return runInCall({ deadlineAt: Number.POSITIVE_INFINITY }, work);
}
