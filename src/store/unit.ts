import type { IsolationLevel } from "@mikro-orm/core";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { fullJitter } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { databaseError, isPassing } from "./errors.ts";
import { timeLeftMs } from "./time-left.ts";

/** What happens to rows within one transaction. It may be run again, so it does nothing that cannot be undone. */
export type Work<T> = (em: SqlEntityManager) => Promise<T>;

/** How a unit runs. */
export interface UnitOptions {
  readonly clock?: Clock;
  /**
   * How far it is kept from what others write meanwhile. If unset, what the database does by itself. SQLite is always
   * serializable.
   */
  readonly isolationLevel?: IsolationLevel;
}

const maxAttempts = 5;
const backoff = fullJitter({ initialMs: 10, maxMs: 100 });

/**
 * Runs `work` in one transaction with an EntityManager of its own: all of it is written, or nothing.
 *
 * A unit that loses a deadlock or a serialization race is run again, up to five times in all while its call has time;
 * other failures of the database become the errors that callers see. `work` uses only the `em` it is given: asking any
 * other EntityManager from inside waits for what the unit itself holds. It awaits nothing but the database.
 */
export async function inUnit<T>(em: SqlEntityManager, work: Work<T>, options: UnitOptions = {}): Promise<T> {
  const { clock = systemClock, isolationLevel } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await em.transactional(work, { clear: true, ...(isolationLevel && { isolationLevel }) });
    } catch (reason) {
      const waitMs = backoff(attempt);
      if (!isPassing(reason) || attempt >= maxAttempts || waitMs >= timeLeftMs(clock)) throw databaseError(reason);
      await clock.sleep(waitMs);
    }
  }
}

/**
 * Runs `work`, which only reads, with an EntityManager of its own and no transaction around it: each query sees what
 * was last written. A transaction for one query would triple its round trips on PostgreSQL, and its time.
 */
export async function reading<T>(em: SqlEntityManager, work: Work<T>): Promise<T> {
  try {
    return await work(em.fork());
  } catch (reason) {
    throw databaseError(reason);
  }
}
