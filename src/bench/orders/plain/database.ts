import { type EntitySchema, MikroORM } from "@mikro-orm/core";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { NodeSqliteDialect, SqliteDriver } from "@mikro-orm/sql";

/**
 * MikroORM as its manual has it, over PostgreSQL or a SQLite file, the tables made. SQLite has a
 * write-ahead log and waits for the disk as little as ours: what is compared is not a setting.
 */
export async function openDatabase(url: string, entities: readonly unknown[]): Promise<SqlEntityManager> {
  const rows = [...entities] as EntitySchema[];
  const orm = url.startsWith("postgres") ? await openPostgres(url, rows) : await openSqlite(url, rows);
  await orm.schema.create();
  return orm.em as SqlEntityManager;
}

async function openPostgres(clientUrl: string, entities: EntitySchema[]): Promise<MikroORM> {
  const { PostgreSqlDriver } = await import("@mikro-orm/postgresql");
  return MikroORM.init({ driver: PostgreSqlDriver, clientUrl, entities });
}

async function openSqlite(dbName: string, entities: EntitySchema[]): Promise<MikroORM> {
  const orm = await MikroORM.init<SqliteDriver>({
    driver: SqliteDriver,
    dbName,
    driverOptions: new NodeSqliteDialect(dbName),
    entities,
  });
  await orm.em.execute("pragma journal_mode = wal");
  await orm.em.execute("pragma synchronous = normal");
  return orm;
}
