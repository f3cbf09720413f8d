import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { defineEntity, LockMode, p } from "@mikro-orm/core";
import { expect, test } from "vitest";
import type { DatabaseKind } from "../../store/database-url.ts";
import { IdType } from "../../store/id-type.ts";
import { openStore, type StoreOptions } from "../../store/orm.ts";
import { openDatabase } from "../../testing/open-database.ts";

const CounterSchema = defineEntity({
  name: "Counter",
  tableName: "counters",
  properties: {
    id: p.type(IdType).primary().autoincrement(),
    value: p.bigint("bigint"),
    version: p.integer().version(),
  },
});

/** A row that counts. */
export class Counter extends CounterSchema.class {}
CounterSchema.setClass(Counter);

const columns = {
  sqlite: "id integer primary key autoincrement, value integer not null, version integer not null default 1",
  postgres: "id bigserial primary key, value bigint not null, version int not null default 1",
};

/** What `openStore` takes to keep counters in a fresh database; closing it removes the database. */
export async function openCounters(kind: DatabaseKind): Promise<StoreOptions & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-store-"));
  const database = await openDatabase(kind);
  const migrationsDir = join(folder, "migrations");
  await mkdir(join(migrationsDir, kind), { recursive: true });
  const migration = `import { Migration } from ${JSON.stringify(import.meta.resolve("@mikro-orm/migrations"))};
export class Migration1 extends Migration {
  up() {
    this.addSql("create table counters (${columns[kind]})");
  }
}`;
  await writeFile(join(migrationsDir, kind, "Migration1.js"), migration);
  return {
    name: "counter",
    entities: [CounterSchema],
    migrationsDir,
    ...database,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a store promises, whichever database it is over. */
export function storeSuite(kind: DatabaseKind): void {
  test("a unit writes all of it, or nothing", async () => {
    await using counters = await openCounters(kind);
    await using store = await openStore(counters);
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
    await using counters = await openCounters(kind);
    await using store = await openStore(counters);
    const { id } = await store.unit(async (em) => em.create(Counter, { value: largest }));
    expect(id).toBe(1n);
    expect(await store.read((em) => em.findOneOrFail(Counter, { id }))).toMatchObject({ id: 1n, value: largest });
  });

  test("a unit within a unit is written with it, or taken back alone", async () => {
    await using counters = await openCounters(kind);
    await using store = await openStore(counters);
    await store.unit(async (em) => {
      em.create(Counter, { value: 1n });
      await em.flush();
      const inner = em.transactional(async (within) => {
        within.create(Counter, { value: 2n });
        await within.flush();
        throw new Error("only this one");
      });
      await expect(inner).rejects.toThrow("only this one");
      await em.transactional(async (within) => void within.create(Counter, { value: 3n }));
    });
    const found = await store.read((em) => em.find(Counter, {}, { orderBy: { id: "asc" } }));
    expect(found.map(({ value }) => value)).toEqual([1n, 3n]);
  });

  test("replicas that start together migrate once", async () => {
    await using counters = await openCounters(kind);
    const stores = await Promise.all([openStore(counters), openStore(counters), openStore(counters)]);
    expect(await Promise.all(stores.map((store) => store.read((em) => em.count(Counter))))).toEqual([0, 0, 0]);
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
  });

  test("two replicas count in one database without an error and without losing a step", async () => {
    await using counters = await openCounters(kind);
    await using one = await openStore(counters);
    await using two = await openStore(counters);
    const { id } = await one.unit(async (em) => em.create(Counter, { value: 0n }));
    const count = (store: typeof one) =>
      store.unit(async (em) => {
        const counter = await em.findOneOrFail(Counter, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
        counter.value += 1n;
      });
    await Promise.all(Array.from({ length: 100 }, (_, turn) => count(turn % 2 === 0 ? one : two)));
    expect(await two.read((em) => em.findOneOrFail(Counter, { id }))).toMatchObject({ value: 100n, version: 101 });
  });

  test("reading goes on while this replica writes, or another one, and sees what was written at once", async () => {
    await using counters = await openCounters(kind);
    await using one = await openStore(counters);
    await using two = await openStore(counters);
    const written = Promise.withResolvers<void>();
    const seen = Promise.withResolvers<void>();
    const writing = one.unit(async (em) => {
      em.create(Counter, { value: 0n });
      await em.flush();
      written.resolve();
      await seen.promise;
    });
    await written.promise;
    const counts = () => Promise.all([one, two].map((store) => store.read((em) => em.count(Counter))));
    expect(await counts()).toEqual([0, 0]);
    seen.resolve();
    await writing;
    expect(await counts()).toEqual([1, 1]);
  });

  test("a stale version is ABORTED", async () => {
    await using counters = await openCounters(kind);
    await using store = await openStore(counters);
    const { id } = await store.unit(async (em) => em.create(Counter, { value: 0n }));
    const stale = store.unit(async (em) => {
      const counter = await em.findOneOrFail(Counter, { id });
      await em.execute("update counters set version = 7");
      counter.value = 5n;
    });
    await expect(stale).rejects.toMatchObject({ code: Code.Aborted });
  });

  test("a store answers pings until it is closed", async () => {
    await using counters = await openCounters(kind);
    const store = await openStore(counters);
    await expect(store.ping()).resolves.toBeUndefined();
    await store[Symbol.asyncDispose]();
    await expect(store.ping()).rejects.toMatchObject({ code: Code.Unavailable });
  });
}
