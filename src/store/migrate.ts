import { DatabaseSync } from "node:sqlite";
import type { MikroORM } from "@mikro-orm/sql";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Database } from "./database-url.ts";
import { whenFree } from "./lock-wait.ts";

/** How long a replica waits for another one that migrates. */
const waitMs = 60_000;
/** The advisory lock of PostgreSQL that stands for "migrating"; any number, the same everywhere. */
const lockId = 7221;

/**
 * Brings the schema up to date, one process at a time: whoever comes second finds nothing left to do.
 * Returns the names of the migrations that ran.
 */
export function migrate(orm: MikroORM, database: Database, clock: Clock = systemClock): Promise<readonly string[]> {
  const up = async () => (await orm.migrator.up()).map(({ name }) => name);
  return database.kind === "sqlite" ? besideFile(database.file, clock, up) : underAdvisoryLock(orm, up);
}

/** The lock is a file of its own: the migrator needs the database's write lock for itself. */
async function besideFile<T>(file: string, clock: Clock, work: () => Promise<T>): Promise<T> {
  const lock = new DatabaseSync(`${file}.migrate`, { timeout: 0 });
  try {
    await whenFree(() => lock.exec("begin exclusive"), { timeoutMs: waitMs, clock });
    // A replica that runs already writes without asking for this lock.
    return await whenFree(work, { timeoutMs: waitMs, clock });
  } finally {
    lock.close();
  }
}

/** The lock ends with its transaction, however the process ends. */
async function underAdvisoryLock<T>(orm: MikroORM, work: () => Promise<T>): Promise<T> {
  const connection = orm.em.getConnection();
  return connection.transactional(async (transaction) => {
    await connection.execute(`set local lock_timeout = ${waitMs}`, [], "run", transaction);
    await connection.execute(`set local idle_in_transaction_session_timeout = 0`, [], "run", transaction);
    await connection.execute(`select pg_advisory_xact_lock(${lockId})`, [], "all", transaction);
    return work();
  });
}
