// Writes the migrations that bring a service's tables from the last snapshot to its entities, for both databases:
//   node scripts/make-migration.ts user AddPhone
// The gateway is one of them, too, although it is no service: it stands in src/gateway.
// A service without migrations needs HEDDLE_TEST_POSTGRES, a server to read PostgreSQL's dialect from.
import { globSync } from "node:fs";
import { chooseDatabase, type DatabaseKind } from "../src/store/database-url.ts";
import { createOrm, type OrmOptions } from "../src/store/orm-config.ts";
import { openDatabase } from "../src/testing/open-database.ts";

const [service = "", change = "Init"] = process.argv.slice(2);
const source = `${import.meta.dirname}/../src`;
const files = globSync([`${source}/services/${service}/*-entity.ts`, `${source}/${service}/*/*-entity.ts`]);
const modules: Record<string, unknown>[] = await Promise.all(files.map((file) => import(file)));
const found = modules.find((module) => `${service}Rows` in module)?.[`${service}Rows`];
if (found === undefined) throw new Error(`no *-entity.ts of a service "${service}" exports ${service}Rows`);
const rows = found as Pick<OrmOptions, "name" | "entities" | "migrationsDir">;

async function make(kind: DatabaseKind): Promise<void> {
  await using empty = await openDatabase(kind);
  const database = chooseDatabase({ name: service, ...empty });
  const orm = await createOrm({ ...rows, database });
  try {
    const { fileName } = await orm.migrator.create(undefined, false, false, change);
    process.stdout.write(`${rows.migrationsDir}/${kind}: ${fileName || "nothing has changed"}\n`);
  } finally {
    await orm.close(true);
  }
}

await make("sqlite");
await make("postgres");
