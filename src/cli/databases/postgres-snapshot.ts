import { type AbstractSqlConnection, IsolationLevel, MikroORM, PostgreSqlDriver } from "@mikro-orm/postgresql";
import { messageOf } from "../../base/message-of.ts";
import { takeWritersLock } from "../../store/writers-lock.ts";
import { type Holdable, type Row, type Snapshot, StillBusy } from "./snapshot.ts";

const pageRows = 5_000;
const connectTimeoutMs = 5_000;

/** A PostgreSQL database as it was at one instant. */
export interface PostgresSnapshot extends Snapshot {
  /** The name by which another session, such as that of pg_dump, sees the same instant. */
  readonly id: string;
}

type Connection = AbstractSqlConnection;
type Transaction = Awaited<ReturnType<Connection["begin"]>>;

/** Connections for raw SQL to one database. */
export interface PostgresSql extends AsyncDisposable {
  readonly connection: Connection;
}

/** Opens connections for raw SQL. `shown` names the database in errors. */
export async function openPostgresSql(place: { readonly url: string; readonly shown: string }): Promise<PostgresSql> {
  const orm = await MikroORM.init({
    driver: PostgreSqlDriver,
    clientUrl: place.url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    pool: { max: 3 },
    driverOptions: { connectionTimeoutMillis: connectTimeoutMs },
  });
  const connection = orm.em.getConnection();
  try {
    await connection.execute("select 1");
    return { connection, [Symbol.asyncDispose]: () => orm.close(true) };
  } catch (reason) {
    await orm.close(true);
    throw new Error(`${place.shown} cannot be used: ${messageOf(reason)}`, { cause: reason });
  }
}

/** Opens a database for snapshots. One session locks the tables against writers, another one begins to read under that. */
export async function openPostgres(place: {
  readonly url: string;
  readonly shown: string;
}): Promise<Holdable<PostgresSnapshot>> {
  const sql = await openPostgresSql(place);
  const { connection } = sql;
  let locker: Transaction | undefined;
  let reader: Transaction | undefined;
  return {
    async hold(waitMs) {
      reader ??= await connection.begin({ isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true });
      locker = await connection.begin();
      await lockTables(connection, locker, { waitMs, shown: place.shown });
    },
    async pin() {
      if (reader === undefined) throw new Error("pinned before it was held");
      return snapshotIn(connection, reader);
    },
    async release() {
      if (locker !== undefined) await connection.rollback(locker);
      locker = undefined;
    },
    async [Symbol.asyncDispose]() {
      if (reader !== undefined) await connection.rollback(reader);
      await sql[Symbol.asyncDispose]();
    },
  };
}

const ownTables = `select format('%I.%I', schemaname, tablename) as name from pg_tables
  where schemaname not in ('pg_catalog', 'information_schema') order by 1`;

/** SHARE: reading goes on, a second one who does this too, and who writes waits, be it a service or somebody at a prompt. */
async function lockTables(
  connection: Connection,
  locker: Transaction,
  { waitMs, shown }: { readonly waitMs: number; readonly shown: string },
): Promise<void> {
  const run = (sql: string) => connection.execute<Row[]>(sql, [], "all", locker);
  const tables = (await run(ownTables)).map(({ name }) => name);
  if (tables.length === 0) return;
  await run(`set local lock_timeout = ${waitMs}`);
  await run("set local idle_in_transaction_session_timeout = 60000");
  try {
    await run(takeWritersLock);
    await run(`lock table ${tables.join(", ")} in share mode`);
  } catch (reason) {
    if (isBusy(reason)) throw new StillBusy(`the tables of ${shown} are written to all the time`, { cause: reason });
    throw new Error(`the tables of ${shown} cannot be locked; use the role that owns them: ${messageOf(reason)}`, {
      cause: reason,
    });
  }
}

/** lock_not_available, deadlock_detected. */
function isBusy(reason: unknown): boolean {
  return ["55P03", "40P01"].includes(String(Object(reason).code));
}

async function snapshotIn(connection: Connection, reader: Transaction): Promise<PostgresSnapshot> {
  const all = (sql: string) => connection.execute<Row[]>(sql, [], "all", reader);
  const [exported] = await all("select pg_export_snapshot() as id"); // the first query of the transaction: it sees this instant
  await all("set local idle_in_transaction_session_timeout = 0");
  let cursors = 0;
  async function* pages(sql: string): AsyncGenerator<readonly Row[]> {
    const cursor = `pages_${cursors++}`;
    await all(`declare ${cursor} no scroll cursor for ${sql}`);
    for (;;) {
      const page = await all(`fetch ${pageRows} from ${cursor}`);
      yield page;
      if (page.length < pageRows) break;
    }
    await all(`close ${cursor}`);
  }
  return { kind: "postgres", id: String(exported?.id), all, pages };
}
