import { expect, test } from "vitest";
import type { DatabaseKind } from "../../store/database-url.ts";
import { openStore, type StoreOptions } from "../../store/orm.ts";
import { openDatabase } from "../../testing/open-database.ts";

/** The checked-in migrations, their snapshot and the entities of a service say the same. */
export function schemaSuite(kind: DatabaseKind, rows: Pick<StoreOptions, "name" | "entities" | "migrationsDir">): void {
  test(`the ${rows.name} service's entities are what its migrations and their snapshot say`, async () => {
    await using database = await openDatabase(kind);
    await using store = await openStore({ ...rows, ...database });
    expect(await store.orm.migrator.checkSchema()).toBe(false);
    const tables = { dropTables: false }; // the table of migrations has no entity
    expect((await store.orm.schema.getUpdateSchemaSQL(tables)).trim()).toBe("");
  });
}
