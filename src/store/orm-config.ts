import { Migrator } from "@mikro-orm/migrations";
import { type EntitySchema, MikroORM, type Options, SqliteDriver } from "@mikro-orm/sql";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Database } from "./database-url.ts";
import { nulState } from "./errors.ts";
import { FileSqliteDialect, type SqliteOptions } from "./sqlite.ts";
import type { SqliteSync } from "./sqlite-file.ts";
import { uncalledMs } from "./time-left.ts";

/** The most a statement or a transaction waits for somebody else's lock. */
const lockWaitMs = 5_000;
const connectTimeoutMs = 5_000;

/** The most connections of a process to PostgreSQL, unless it is told: nine processes fit into a server as it comes. */
export const defaultPool = 10;

/** What MikroORM is told about one service's rows. */
export interface OrmOptions {
  /** The service's name; its table of migrations is called after it. */
  readonly name: string;
  readonly entities: readonly EntitySchema[];
  /** The folder that holds `sqlite/` and `postgres/`, one set of migrations each, as their DDL differs. */
  readonly migrationsDir: string;
  readonly database: Database;
  /** The most connections to PostgreSQL. */
  readonly databasePool?: number;
  readonly sqliteSync?: SqliteSync;
  readonly sqliteBetween?: NonNullable<SqliteOptions["between"]>;
  readonly clock?: Clock;
}

/** MikroORM over the chosen database, not connected yet. */
export async function createOrm(options: OrmOptions): Promise<MikroORM> {
  const { database } = options;
  const common: Options = {
    entities: [...options.entities],
    extensions: [Migrator],
    migrations: migrationOptions(options),
    onQuery: refuseNul,
  };
  const own =
    database.kind === "sqlite" ? sqliteOptions(database.file, options) : await postgresOptions(database.url, options);
  // A driver's options are invariant in its type; from here on only what all SQL drivers share is used.
  return MikroORM.init({ ...common, ...own } as unknown as Options);
}

/**
 * MikroORM writes values into the statement, and both databases take U+0000 for the end of it: PostgreSQL would even
 * close the connection.
 */
function refuseNul(sql: string, params: readonly unknown[]): string {
  const nul = params.some((value) => typeof value === "string" && value.includes("\0"));
  if (nul) throw Object.assign(new Error("text with U+0000"), { code: nulState });
  return sql;
}

function sqliteOptions(file: string, { sqliteSync = "normal", clock = systemClock, sqliteBetween }: OrmOptions) {
  const between = sqliteBetween && { between: sqliteBetween };
  const dialect = new FileSqliteDialect({ file, sync: sqliteSync, lockWaitMs, clock, ...between });
  return { driver: SqliteDriver, dbName: file, driverOptions: dialect };
}

/** The driver is loaded only where it is used. */
async function postgresOptions(clientUrl: string, { databasePool = defaultPool, clock = systemClock }: OrmOptions) {
  const { postgresDriver } = await import("./postgres.ts");
  const driverOptions = {
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: uncalledMs,
    lock_timeout: lockWaitMs,
    idle_in_transaction_session_timeout: 2 * lockWaitMs,
  };
  return { driver: postgresDriver(clock), clientUrl, pool: { max: databasePool }, driverOptions };
}

/**
 * Migrations are checked in as TypeScript and run from there, or as JavaScript from a build. The snapshot beside them
 * is written only when a migration is made; at run time it is never touched.
 */
function migrationOptions({ name, migrationsDir, database }: OrmOptions): NonNullable<Options["migrations"]> {
  const path = `${migrationsDir}/${database.kind}`;
  const tableName = `${name}_migrations`;
  const snapshot = { snapshot: true, snapshotName: "schema", snapshotOnMigrate: false };
  return { path, pathTs: path, glob: "!(*.d).{js,ts}", emit: "ts", tableName, silent: true, ...snapshot };
}
