import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MikroORM, PostgreSqlDriver } from "@mikro-orm/postgresql";
import type { DatabaseKind } from "../store/database-url.ts";

/** An empty database of its own: what `openStore` takes beside the service's rows. Closing it removes it. */
export interface TestDatabase extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly dataDir: string;
}

/**
 * A fresh database of the kind asked for. PostgreSQL is the server that HEDDLE_TEST_POSTGRES names, by a URL whose
 * user may create databases; without it the test fails rather than pass unrun.
 */
export async function openDatabase(
  kind: DatabaseKind = "sqlite",
  { postgresUrl = process.env.HEDDLE_TEST_POSTGRES ?? "" } = {},
): Promise<TestDatabase> {
  return kind === "sqlite" ? openFolder() : openPostgres(postgresUrl);
}

async function openFolder(): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), "heddle-"));
  const remove = () => rm(dataDir, { recursive: true, force: true });
  return { databaseUrl: "", dataDir, [Symbol.asyncDispose]: remove };
}

async function openPostgres(serverUrl: string): Promise<TestDatabase> {
  if (serverUrl === "") {
    const example = "postgres://postgres@127.0.0.1:5432/postgres";
    throw new Error(`HEDDLE_TEST_POSTGRES is not set: name a PostgreSQL server to try on, such as ${example}`);
  }
  const database = `heddle_test_${randomUUID().replaceAll("-", "")}`;
  await execute(serverUrl, `create database ${database}`);
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  const drop = () => execute(serverUrl, `drop database if exists ${database} with (force)`);
  return { databaseUrl: url.href, dataDir: "", [Symbol.asyncDispose]: drop };
}

async function execute(clientUrl: string, sql: string): Promise<void> {
  const orm = await MikroORM.init({
    driver: PostgreSqlDriver,
    clientUrl,
    entities: [],
    discovery: { warnWhenNoEntities: false },
  });
  try {
    await orm.em.getConnection().execute(sql);
  } finally {
    await orm.close(true);
  }
}
