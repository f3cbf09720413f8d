// Writes the migrations that bring a service's tables from the last snapshot to its entities, for both databases:
//   node scripts/make-migration.ts user AddPhone
// A service without migrations needs HEDDLE_TEST_POSTGRES, a server to read PostgreSQL's dialect from.
import { openDatabase } from "../src/testing/open-database.ts";
import { chooseDatabase, type DatabaseKind } from "../src/store/database-url.ts";
import { createOrm, type OrmOptions } from "../src/store/orm-config.ts";

const [service = "", change = "Init"] = process.argv.slice(2);
const module: Record<string, unknown> = await import(`../src/services/${service}/${service}-entity.ts`);
const rows = module[`${service}Rows`] as Pick<OrmOptions, "name" | "entities" | "migrationsDir">;

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
