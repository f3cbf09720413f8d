import { DatabaseSync, type SQLInputValue } from "node:sqlite";

/** Rows of a query, or what a change came to. */
export interface SqliteResult {
  readonly rows: Record<string, unknown>[];
  readonly changes?: number | bigint;
  readonly lastInsertRowid?: number | bigint;
}

/** One connection to a SQLite file. What another connection's lock forbids fails at once. */
export interface SqliteFile {
  run(sql: string, parameters: readonly unknown[]): SqliteResult;
  readonly isInTransaction: boolean;
  close(): void;
}

/** What a commit waits for: nothing but the operating system, or the disk. */
export type SqliteSync = "normal" | "full";

/** How long to wait for the switch to WAL, which wants the file for itself once in its life. */
const openWaitMs = 5_000;
const maxCachedStatements = 500;
/** The write-ahead log is cut back to this size once nobody reads from it. */
const maxWalBytes = 16 * 2 ** 20;
/** From that size on a commit copies it into the file itself, if nobody has: pages have 4 KiB. */
const maxWalPages = maxWalBytes / 4_096;

/**
 * Opens the file with a write-ahead log, in which readers and the writer do not wait for each other. From here on nothing
 * waits inside a statement, where it would stop the event loop: `whenFree` waits outside.
 *
 * A process that is killed loses nothing that was committed. A power cut may, with "normal", take back the commits of the
 * last moments, all of each; with "full" each commit is on the disk before it is answered.
 */
export function openSqliteFile(file: string, sync: SqliteSync): SqliteFile {
  const db = new DatabaseSync(file, { timeout: openWaitMs, enableForeignKeyConstraints: true });
  try {
    db.exec("pragma journal_mode = wal");
    db.exec(`pragma synchronous = ${sync}; pragma busy_timeout = 0;`);
    db.exec(`pragma journal_size_limit = ${maxWalBytes}; pragma wal_autocheckpoint = ${maxWalPages};`);
  } catch (reason) {
    db.close();
    throw reason;
  }
  const cache = new Map<string, ReturnType<typeof prepare>>();
  return {
    run(sql, parameters) {
      const run = cache.get(sql) ?? prepare(db, sql);
      if (cache.size > maxCachedStatements) cache.clear();
      cache.set(sql, run);
      return run(parameters as SQLInputValue[]);
    },
    get isInTransaction() {
      return db.isTransaction;
    },
    close: () => db.close(),
  };
}

function prepare(db: DatabaseSync, sql: string): (parameters: SQLInputValue[]) => SqliteResult {
  const statement = db.prepare(sql);
  statement.setReadBigInts(true);
  const hasRows = /^\s*(select|pragma|explain|with)/i.test(sql) || /\breturning\b/i.test(sql);
  if (!hasRows) return (values) => ({ rows: [], ...statement.run(...values) });
  return (values) => ({ rows: statement.all(...values).map(narrow) });
}

/** Integers that a number holds exactly become numbers, in place, as MikroORM expects them. */
function narrow(row: Record<string, unknown>): Record<string, unknown> {
  for (const column in row) {
    const value = row[column];
    if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) row[column] = Number(value);
  }
  return row;
}
