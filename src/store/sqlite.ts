import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { CompiledQuery, type DatabaseConnection, SqliteDialect, SqliteDriver, type TransactionSettings } from "kysely";
import { type LockWaitOptions, whenFree } from "./lock-wait.ts";

type Config = ConstructorParameters<typeof SqliteDriver>[0];
type Row = Record<string, unknown>;

/** How long to wait for the switch to WAL, which wants the file for itself once in its life. */
const openWaitMs = 5_000;
const maxCachedStatements = 500;

/**
 * A SQLite file that several processes may share without meeting a lock error: write-ahead log, and each writing
 * transaction takes the write lock when it begins, so none is refused half way. Read-only ones begin deferred and
 * read on while another process writes. Integers beyond 2^53 are read as bigint.
 */
export class FileSqliteDialect extends SqliteDialect {
  readonly #config: Config;
  readonly #wait: LockWaitOptions;

  constructor(file: string, wait: LockWaitOptions) {
    const config: Config = { database: async () => openFile(file) };
    super(config);
    this.#config = config;
    this.#wait = wait;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#config, this.#wait);
  }
}

class ImmediateDriver extends SqliteDriver {
  readonly #wait: LockWaitOptions;

  constructor(config: Config, wait: LockWaitOptions) {
    super(config);
    this.#wait = wait;
  }

  override async beginTransaction(connection: DatabaseConnection, settings?: TransactionSettings): Promise<void> {
    const begin = settings?.accessMode === "read only" ? "begin" : "begin immediate";
    await whenFree(() => connection.executeQuery(CompiledQuery.raw(begin)), this.#wait);
  }
}

/** From here on nothing waits inside a statement, where it would stop the event loop: `whenFree` waits outside. */
function openFile(file: string) {
  const db = new DatabaseSync(file, { timeout: openWaitMs, enableForeignKeyConstraints: true });
  db.exec("pragma journal_mode = wal; pragma synchronous = normal; pragma busy_timeout = 0;");
  const cache = new Map<string, ReturnType<typeof prepare>>();
  return {
    prepare(sql: string) {
      const statement = cache.get(sql) ?? prepare(db, sql);
      if (cache.size > maxCachedStatements) cache.clear();
      cache.set(sql, statement);
      return statement;
    },
    close: () => db.close(),
  };
}

function prepare(db: DatabaseSync, sql: string) {
  const statement = db.prepare(sql);
  statement.setReadBigInts(true);
  const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
  return {
    reader: /^\s*(select|pragma|explain|with)/i.test(sql) || /\breturning\b/i.test(sql),
    all: (parameters: readonly unknown[]) => statement.all(...values(parameters)).map(narrow),
    run: (parameters: readonly unknown[]) => statement.run(...values(parameters)),
    iterate: (parameters: readonly unknown[]): IterableIterator<unknown> => statement.iterate(...values(parameters)),
  };
}

/** Integers that a number holds exactly become numbers, in place, as MikroORM expects them. */
function narrow(row: Row): Row {
  for (const [column, value] of Object.entries(row)) {
    if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) row[column] = Number(value);
  }
  return row;
}
