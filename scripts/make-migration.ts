// Writes the migrations that bring a service's tables from the last snapshot to its entities, for both databases:
//   node scripts/make-migration.ts user AddPhone
// The gateway is one of them, too, although it is no service: it stands in src/gateway.
// A service without migrations needs HEDDLE_TEST_POSTGRES, a server to read PostgreSQL's dialect from.
import { globSync } from "node:fs";
import { dirname } from "node:path";
import { chooseDatabase, type DatabaseKind } from "../src/store/database-url.ts";
import { createOrm, type OrmOptions } from "../src/store/orm-config.ts";
import { openDatabase } from "../src/testing/open-database.ts";

const [service = "", change = "Init"] = process.argv.slice(2);
const source = `${import.meta.dirname}/../src`;
const [entities] = globSync([`${source}/services/${service}/*-entity.ts`, `${source}/${service}/*/*-entity.ts`]);
if (service === "" || entities === undefined) throw new Error(`no service "${service}" with a *-entity.ts`);
const module: Record<string, unknown> = await import(entities);
const migrationsDir = `${dirname(entities)}/migrations`;
const named = { name: service, entities: module[`${service}Entities`], migrationsDir };
const rows = (module[`${service}Rows`] ?? named) as Pick<OrmOptions, "name" | "entities" | "migrationsDir">;

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
