import type { SqlEntityManager } from "@mikro-orm/sql";
import { fullJitter } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { committed } from "./after-commit.ts";
import { databaseError, isDeadlock } from "./errors.ts";
import { whenFree } from "./lock-wait.ts";

/** What happens to rows within one transaction. It may be run again, so it does nothing that cannot be undone. */
export type Work<T> = (em: SqlEntityManager) => Promise<T>;

const maxAttempts = 5;
const backoff = fullJitter({ initialMs: 10, maxMs: 100 });
const readWaitMs = 5_000;

/**
 * Runs `work` in one transaction with an EntityManager of its own: all of it is written, or nothing.
 *
 * A unit that loses a deadlock or a serialization race is run again, up to five times in all; other failures of the
 * database become the errors that callers see. `work` uses only the `em` it is given: on SQLite there is one
 * connection, and asking any other EntityManager from inside waits for ever. It awaits nothing but the database.
 */
export async function inUnit<T>(em: SqlEntityManager, work: Work<T>, clock: Clock = systemClock): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(em, work);
    } catch (reason) {
      if (!isDeadlock(reason) || attempt >= maxAttempts) throw databaseError(reason);
      await clock.sleep(backoff(attempt));
    }
  }
}

async function once<T>(em: SqlEntityManager, work: Work<T>): Promise<T> {
  let tell = () => {};
  const result = await em.fork().transactional(async (unit) => {
    const worked = await work(unit);
    tell = committed(unit);
    return worked;
  });
  tell();
  return result;
}

/**
 * Runs `work`, which only reads, with an EntityManager of its own and no transaction around it: each query sees what
 * was last written. A transaction for one query would triple its round trips on PostgreSQL, and its time.
 */
export async function reading<T>(em: SqlEntityManager, work: Work<T>, clock: Clock = systemClock): Promise<T> {
  try {
    return await whenFree(() => work(em.fork()), { timeoutMs: readWaitMs, clock });
  } catch (reason) {
    throw databaseError(reason);
  }
}
