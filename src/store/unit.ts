import type { SqlEntityManager } from "@mikro-orm/sql";
import { fullJitter } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { databaseError, isDeadlock } from "./errors.ts";

/** What happens to rows within one transaction. It may be run again, so it does nothing that cannot be undone. */
export type Work<T> = (em: SqlEntityManager) => Promise<T>;

/** How a unit runs. */
export interface UnitOptions {
  readonly readOnly: boolean;
  readonly clock?: Clock;
}

const maxAttempts = 5;
const backoff = fullJitter({ initialMs: 10, maxMs: 100 });

/**
 * Runs `work` in one transaction with an EntityManager of its own: all of it is written, or nothing.
 *
 * A unit that loses a deadlock or a serialization race is run again, up to five times in all; other failures of the
 * database become the errors that callers see. `work` uses only the `em` it is given: on SQLite there is one
 * connection, and asking any other EntityManager from inside waits for ever. It awaits nothing but the database.
 */
export async function inUnit<T>(em: SqlEntityManager, work: Work<T>, options: UnitOptions): Promise<T> {
  const { readOnly, clock = systemClock } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await em.fork().transactional(work, { readOnly });
    } catch (reason) {
      if (!isDeadlock(reason) || attempt >= maxAttempts) throw databaseError(reason);
      await clock.sleep(backoff(attempt));
    }
  }
}
