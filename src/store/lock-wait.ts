import { type Clock, systemClock } from "../base/clock.ts";

/** How long to ask for a lock, and by whose clock. */
export interface LockWaitOptions {
  readonly timeoutMs: number;
  readonly clock?: Clock;
}

/** The pause before asking again: short at first, as most transactions take a millisecond or two. */
const pausesMs = [0, 1, 1, 2, 2, 3, 5, 5, 8];
const longestPauseMs = 10;

/**
 * Does `work` as soon as SQLite's lock is free, asking again and again until `timeoutMs` is over.
 *
 * SQLite's own busy handler would wait inside the call and stop the whole event loop, this one's health checks and
 * answers included; here everything else goes on.
 */
export async function whenFree<T>(work: () => T | Promise<T>, options: LockWaitOptions): Promise<T> {
  const { timeoutMs, clock = systemClock } = options;
  const giveUpAt = clock.now() + timeoutMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (reason) {
      if (!isLocked(reason) || clock.now() >= giveUpAt) throw reason;
      await clock.sleep(pausesMs[attempt] ?? longestPauseMs);
    }
  }
}

/** Whether SQLite says that another connection holds the lock (SQLITE_BUSY, SQLITE_LOCKED or SQLITE_PROTOCOL, any variant). */
export function isLocked(reason: unknown): boolean {
  return reason instanceof Error && /database (table |schema )?is locked|^locking protocol$/.test(reason.message);
}
