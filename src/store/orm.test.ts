import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Code } from "@connectrpc/connect";
import { defineEntity, p } from "@mikro-orm/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeClock } from "../testing/fake-clock.ts";
import { IdType } from "./id-type.ts";
import { openStore, type StoreOptions } from "./orm.ts";

const CounterSchema = defineEntity({
  name: "Counter",
  tableName: "counters",
  properties: {
    id: p.type(IdType).primary().autoincrement(),
    value: p.bigint("bigint"),
    version: p.integer().version(),
  },
});
class Counter extends CounterSchema.class {}
CounterSchema.setClass(Counter);

const migration = `import { Migration } from ${JSON.stringify(import.meta.resolve("@mikro-orm/migrations"))};
export class Migration1 extends Migration {
  up() {
    this.addSql("create table counters (id integer primary key autoincrement, value integer not null, version integer not null default 1)");
  }
}`;

let dataDir: string;
let options: StoreOptions;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "heddle-store-"));
  const migrationsDir = join(dataDir, "migrations");
  await mkdir(join(migrationsDir, "sqlite"), { recursive: true });
  await writeFile(join(migrationsDir, "sqlite", "Migration1.js"), migration);
  options = {
    name: "counter",
    entities: [CounterSchema],
    migrationsDir,
    databaseUrl: "",
    dataDir: join(dataDir, "deep/data"),
  };
});

afterEach(() => rm(dataDir, { recursive: true, force: true }));

test("a unit writes all of it, or nothing", async () => {
  await using store = await openStore(options);
  const failing = store.unit(async (em) => {
    em.create(Counter, { value: 1n });
    await em.flush();
    throw new Error("changed my mind");
  });
  await expect(failing).rejects.toThrow("changed my mind");
  expect(await store.read((em) => em.count(Counter))).toBe(0);
});

test("integers are exact up to 2^63 - 1", async () => {
  const largest = 2n ** 63n - 1n;
  await using store = await openStore(options);
  const { id } = await store.unit(async (em) => em.create(Counter, { value: largest }));
  expect(id).toBe(1n);
  expect(await store.read((em) => em.findOneOrFail(Counter, { id }))).toMatchObject({ id: 1n, value: largest });
});

test("replicas that start together migrate once", async () => {
  const stores = await Promise.all([openStore(options), openStore(options), openStore(options)]);
  expect(await Promise.all(stores.map((store) => store.read((em) => em.count(Counter))))).toEqual([0, 0, 0]);
  await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
});

test("two replicas count in one file without an error and without losing a step", async () => {
  await using one = await openStore(options);
  await using two = await openStore(options);
  const { id } = await one.unit(async (em) => em.create(Counter, { value: 0n }));
  const count = (store: typeof one) =>
    store.unit(async (em) => {
      const counter = await em.findOneOrFail(Counter, { id });
      counter.value += 1n;
    });
  await Promise.all(Array.from({ length: 100 }, (_, turn) => count(turn % 2 === 0 ? one : two)));
  expect(await two.read((em) => em.findOneOrFail(Counter, { id }))).toMatchObject({ value: 100n, version: 101 });
});

test("reading goes on while another replica writes", async () => {
  await using one = await openStore(options);
  await using two = await openStore(options);
  const written = Promise.withResolvers<void>();
  const seen = Promise.withResolvers<void>();
  const writing = one.unit(async (em) => {
    em.create(Counter, { value: 0n });
    await em.flush();
    written.resolve();
    await seen.promise;
  });
  await written.promise;
  expect(await two.read((em) => em.count(Counter))).toBe(0);
  seen.resolve();
  await writing;
  expect(await two.read((em) => em.count(Counter))).toBe(1);
});

test("a lock that stays is UNAVAILABLE after the wait, and the store works on when it is free", async () => {
  const clock = fakeClock();
  await using store = await openStore({ ...options, clock });
  const other = new DatabaseSync(join(options.dataDir, "counter.db"));
  other.exec("begin immediate");
  const refused = expect(store.unit(async (em) => em.create(Counter, { value: 0n }))).rejects.toMatchObject({
    code: Code.Unavailable,
  });
  await clock.advance(6_000);
  await refused;
  other.close();
  await store.unit(async (em) => em.create(Counter, { value: 0n }));
  expect(await store.read((em) => em.count(Counter))).toBe(1);
});

test("a transaction that the database itself has rolled back leaves the store working", async () => {
  await using store = await openStore(options);
  const lost = store.unit(async (em) => {
    await em.execute("rollback"); // as SQLite does on a full disk
    await em.execute("select * from nothing");
  });
  await expect(lost).rejects.toThrow("nothing");
  await expect(store.ping()).resolves.toBeUndefined();
});

test("a stale version is ABORTED", async () => {
  await using store = await openStore(options);
  const { id } = await store.unit(async (em) => em.create(Counter, { value: 0n }));
  const stale = store.unit(async (em) => {
    const counter = await em.findOneOrFail(Counter, { id });
    await em.execute("update counters set version = 7");
    counter.value = 5n;
  });
  await expect(stale).rejects.toMatchObject({ code: Code.Aborted });
});

test("a store answers pings until it is closed", async () => {
  const store = await openStore(options);
  await expect(store.ping()).resolves.toBeUndefined();
  await store[Symbol.asyncDispose]();
  await expect(store.ping()).rejects.toMatchObject({ code: Code.Unavailable });
});

test("a server that is away is named with its variable, without its password", async () => {
  const away = openStore({ ...options, databaseUrl: "postgres://me:secret@127.0.0.1:1/shop" });
  await expect(away).rejects.toThrow(
    /DATABASE_URL=postgres:\/\/me:\*\*\*@127.0.0.1:1\/shop cannot be used; start that server/,
  );
});

test("a malformed URL is named with what it has to be", async () => {
  const malformed = openStore({ ...options, databaseUrl: "mysql://me:secret@host/shop" });
  await expect(malformed).rejects.toThrow(/^DATABASE_URL has to be empty .* or a PostgreSQL URL/);
});

test("a folder that cannot be made is named with its variable", async () => {
  const inFile = openStore({ ...options, dataDir: join(options.migrationsDir, "sqlite/Migration1.js/data") });
  await expect(inFile).rejects.toThrow(/^HEDDLE_DATA=.* is no folder/);
});
