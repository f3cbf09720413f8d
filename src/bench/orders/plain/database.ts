import { type EntitySchema, MikroORM } from "@mikro-orm/core";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { SqliteDriver } from "@mikro-orm/sql";
import { FileSqliteDialect } from "../../../store/sqlite.ts";

/**
 * MikroORM as its manual has it, over PostgreSQL or a SQLite file, the tables made. SQLite has WAL and a busy handler, as
 * ours has: what is compared is not a setting.
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
  const driverOptions = new FileSqliteDialect(dbName, { timeoutMs: 5_000 });
  return MikroORM.init({ driver: SqliteDriver, dbName, driverOptions, entities } as never);
}
