import { mkdir } from "node:fs/promises";
import type { EntitySchema, MikroORM } from "@mikro-orm/sql";
import { type Clock, systemClock } from "../base/clock.ts";
import { type Logger, silentLogger } from "../base/log.ts";
import { messageOf } from "../base/message-of.ts";
import { unavailable } from "../call/errors.ts";
import { chooseDatabase, type Database } from "./database-url.ts";
import { isDamaged } from "./errors.ts";
import { migrate } from "./migrate.ts";
import { createOrm } from "./orm-config.ts";
import type { SqliteSync } from "./sqlite-file.ts";
import { withoutLimit } from "./time-left.ts";
import { inUnit, reading, type UnitOptions, type Work } from "./unit.ts";

/** Which rows, and where. */
export interface StoreOptions {
  /** The service's name: the SQLite file is called after it. */
  readonly name: string;
  readonly entities: readonly EntitySchema[];
  /** The folder that holds `sqlite/` and `postgres/`. */
  readonly migrationsDir: string;
  /** A PostgreSQL URL; if empty, a SQLite file in `dataDir`. */
  readonly databaseUrl: string;
  /** The folder of SQLite files, made when it is missing. */
  readonly dataDir: string;
  /** The most connections to PostgreSQL; at least 2, as a migration needs so many. If unset, 10. */
  readonly databasePool?: number;
  /** What a commit to SQLite waits for: see `openSqliteFile`. If unset, "normal". */
  readonly sqliteSync?: SqliteSync;
  readonly log?: Logger;
  readonly clock?: Clock;
}

/** The rows of one service, its schema up to date. Several replicas may have the same store open. */
export interface Store extends AsyncDisposable {
  readonly orm: MikroORM;
  /** Runs `work` in one transaction; see `inUnit` for what work may do. */
  unit<T>(work: Work<T>, options?: Pick<UnitOptions, "isolationLevel">): Promise<T>;
  /** Runs `work`, which only reads; see `reading`. It goes on while others write. */
  read<T>(work: Work<T>): Promise<T>;
  /** Resolves when the database answers; fails with UNAVAILABLE when it does not. For readiness checks. */
  ping(): Promise<void>;
}

/**
 * Opens the rows of a service, migrated. Replicas may start together: one migrates, the others wait for it.
 * What cannot be opened fails with a message that names DATABASE_URL, or the folder, and what to do.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { log = silentLogger, clock = systemClock } = options;
  const database = chooseDatabase(options);
  if (database.kind === "sqlite") await makeFolder(options.dataDir);
  const orm = await createOrm({ ...options, database, clock });
  try {
    await connect(orm, database);
    const ran = await withoutLimit(() => migrate(orm, database, clock));
    log.info("store open", { database: shown(database), migrated: ran });
  } catch (reason) {
    await orm.close(true);
    throw reason;
  }
  return storeOver(orm, clock);
}

/** The store of a MikroORM that is connected, its schema up to date. */
export function storeOver(orm: MikroORM, clock: Clock): Store {
  let closed: Promise<void> | undefined;
  const entities = () => {
    // MikroORM would quietly connect again.
    if (closed !== undefined) throw unavailable("the store is closed", { reason: "STORE_CLOSED", domain: "heddle" });
    return orm.em;
  };
  const read = async <T>(work: Work<T>) => reading(entities(), work);
  return {
    orm,
    read,
    unit: async (work, options) => inUnit(entities(), work, { clock, ...options }),
    ping: () => read(async (em) => void (await em.execute("select 1"))),
    [Symbol.asyncDispose]() {
      closed ??= orm.close(true);
      return closed;
    },
  };
}

async function makeFolder(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
  } catch (reason) {
    throw new Error(`HEDDLE_DATA=${dataDir} is no folder that can be made: ${allMessagesOf(reason)}`, {
      cause: reason,
    });
  }
}

async function connect(orm: MikroORM, database: Database): Promise<void> {
  try {
    await orm.connect();
    await orm.em.getConnection().execute("select 1");
  } catch (reason) {
    if (database.kind === "sqlite" && isDamaged(reason)) throw damaged(database.file, reason);
    const advice =
      database.kind === "postgres"
        ? `DATABASE_URL=${database.shown} cannot be used; start that server and make sure user, password and database exist, or leave DATABASE_URL empty for a SQLite file`
        : `${database.file} cannot be used; set HEDDLE_DATA to a folder that may be written`;
    throw new Error(`${advice}: ${allMessagesOf(reason)}`, { cause: reason });
  }
}

function damaged(file: string, cause: unknown): Error {
  const advice = "put a backup in its place with `heddle restore`, or move it away to start empty";
  return new Error(`${file} is damaged, or no SQLite file: ${advice}: ${messageOf(cause)}`, { cause });
}

function shown(database: Database): string {
  return database.kind === "postgres" ? database.shown : database.file;
}

function allMessagesOf(reason: unknown): string {
  if (reason instanceof AggregateError) return reason.errors.map(allMessagesOf).join("; ");
  return messageOf(reason);
}
