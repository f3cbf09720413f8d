import { globSync } from "node:fs";
import { basename, join } from "node:path";
import type { Migration } from "@mikro-orm/migrations";
import { describe, expect, test } from "vitest";
import { type MigrationText, migrationComplaints } from "./migration-rules.ts";

const source = join(import.meta.dirname, "..");
const files = globSync([
  `${source}/services/*/migrations/*/Migration*.ts`,
  `${source}/gateway/**/migrations/*/Migration*.ts`,
]);

/** What a migration would do, without a database. */
async function textOf(file: string): Promise<MigrationText> {
  const module: Record<string, new (...none: never[]) => Migration> = await import(file);
  const [Made] = Object.values(module);
  if (Made === undefined) throw new Error(`${file} exports no migration`);
  const migration = new Made();
  await migration.up();
  const statements = migration.getQueries().map(String);
  return { name: basename(file), statements, contract: (Made as { contract?: string }).contract };
}

test("every migration of every service leaves the release before running", async () => {
  expect(files.length).toBeGreaterThanOrEqual(10);
  for (const file of files) {
    const text = await textOf(file);
    expect(text.statements.length, file).toBeGreaterThan(0);
    expect(migrationComplaints(text)).toEqual([]);
  }
});

describe("a migration", () => {
  const complain = (...statements: string[]) => migrationComplaints({ name: "M", statements });

  test.each([
    'create table "notes" ("id" bigserial primary key, "text" text not null);',
    "create index `notes_at_index` on `users` (`at`);",
    'alter table "users" add column "phone" varchar(20) null;',
    "alter table `users` add column `phone` text null;",
    `alter table "users" add column "level" int not null default 1;`,
    `update "users" set "phone" = '' where "phone" is null;`,
  ])("may add: %s", (sql) => {
    expect(complain(sql)).toEqual([]);
  });

  test.each([
    'drop table if exists "users" cascade;',
    'alter table "users" drop column "name";',
    'alter table "users" rename column "name" to "title";',
    'alter table "users" rename to "people";',
    'alter table "users" alter column "name" type int using ("name"::int);',
    'alter table "users" alter column "name" set not null;',
    'alter table "users" add column "phone" varchar(20) not null;',
    'alter table "users" add constraint "phone_unique" unique ("phone");',
    "create unique index `phone_unique` on `users` (`phone`);",
    "alter table `users__temp` rename to `users`;",
    "drop index `users_email_key_unique`;",
  ])("may not break what runs: %s", (sql) => {
    expect(complain(sql)).toHaveLength(1);
  });

  test("may do what it likes with tables that it makes itself", () => {
    const table = 'create table "notes" ("id" bigserial primary key);';
    expect(complain(table, 'alter table "notes" add constraint "one" unique ("id");')).toEqual([]);
    expect(complain(table, 'create unique index "one" on "notes" ("id");')).toEqual([]);
  });

  test("may take away what it says nobody uses any more", () => {
    const statements = ['alter table "users" drop column "name";'];
    expect(migrationComplaints({ name: "M", statements, contract: "0.7 has read no name" })).toEqual([]);
  });
});
