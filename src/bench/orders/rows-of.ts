import { DatabaseSync } from "node:sqlite";
import { MikroORM, PostgreSqlDriver } from "@mikro-orm/postgresql";

/** Reads rows from outside, while the services run. */
export interface Reader extends AsyncDisposable {
  rows(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** Over a PostgreSQL URL, or a SQLite file. */
export async function openReader(database: string): Promise<Reader> {
  return database.startsWith("postgres") ? openPostgres(database) : openFile(database);
}

async function openPostgres(clientUrl: string): Promise<Reader> {
  const discovery = { warnWhenNoEntities: false };
  const orm = await MikroORM.init({ driver: PostgreSqlDriver, clientUrl, entities: [], discovery });
  return {
    rows: (sql) => orm.em.getConnection().execute(sql),
    [Symbol.asyncDispose]: () => orm.close(true),
  };
}

function openFile(file: string): Reader {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  return {
    rows: async (sql) => database.prepare(sql).all(),
    [Symbol.asyncDispose]: async () => database.close(),
  };
}
