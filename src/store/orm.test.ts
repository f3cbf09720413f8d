import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { runInCall } from "../call/context.ts";
import { Counter, openCounters, storeSuite } from "../test/suites/store-suite.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { openStore, type Store } from "./orm.ts";

storeSuite("sqlite");

const add = (store: Store, value = 0n) => store.unit(async (em) => em.create(Counter, { value }));
const countIn = (store: Store) => store.read((em) => em.count(Counter));
const error = (code: Code, reason: string) => ({
  code,
  details: expect.arrayContaining([expect.objectContaining({ value: expect.objectContaining({ reason }) })]),
});

test("a lock that stays is UNAVAILABLE after the wait; reading goes on, and the store works on when it is free", async () => {
  const clock = fakeClock();
  await using counters = await openCounters("sqlite");
  await using store = await openStore({ ...counters, clock });
  const other = new DatabaseSync(join(counters.dataDir, "counter.db"));
  other.exec("begin immediate");
  const refused = expect(add(store)).rejects.toMatchObject(error(Code.Unavailable, "DATABASE_BUSY"));
  await clock.advance(1_000);
  expect(await countIn(store)).toBe(0);
  await clock.advance(5_000);
  await refused;
  other.close();
  await add(store);
  expect(await countIn(store)).toBe(1);
});

test("a unit waits for a lock, and for the units before it, no longer than its call's deadline", async () => {
  const clock = fakeClock();
  await using counters = await openCounters("sqlite");
  await using store = await openStore({ ...counters, clock });
  const other = new DatabaseSync(join(counters.dataDir, "counter.db"));
  other.exec("begin immediate");
  const inCallOf = (ms: number) => runInCall({ deadlineAt: clock.now() + ms }, () => add(store));
  const late = error(Code.DeadlineExceeded, "DEADLINE_EXCEEDED");
  const first = expect(inCallOf(300)).rejects.toMatchObject(late);
  const second = expect(inCallOf(200)).rejects.toMatchObject(late);
  await clock.advance(250);
  await second;
  await clock.advance(100);
  await first;
  other.close();
  await add(store);
  expect(await countIn(store)).toBe(1);
});

test("a call whose deadline passes within a unit leaves nothing of it", async () => {
  const clock = fakeClock();
  await using counters = await openCounters("sqlite");
  await using store = await openStore({ ...counters, clock });
  const unit = runInCall({ deadlineAt: clock.now() + 100 }, () =>
    store.unit(async (em) => {
      em.create(Counter, { value: 1n });
      await em.flush();
      await clock.advance(150);
    }),
  );
  await expect(unit).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  expect(await countIn(store)).toBe(0);
});

test("a transaction that the database itself has rolled back leaves the store working", async () => {
  await using counters = await openCounters("sqlite");
  await using store = await openStore(counters);
  const lost = store.unit(async (em) => {
    await em.execute("rollback"); // as SQLite does on a full disk
    await em.execute("select * from nothing");
  });
  await expect(lost).rejects.toThrow("nothing");
  await expect(store.ping()).resolves.toBeUndefined();
});

test("a full disk is RESOURCE_EXHAUSTED by name; nothing half is written, reading goes on, and so does writing once there is room", async () => {
  await using counters = await openCounters("sqlite");
  await using store = await openStore(counters);
  await add(store);
  const pages = (count: number) => store.unit((em) => em.execute(`pragma max_page_count = ${count}`));
  await pages(1); // which means: no more than there are
  const fill = store.unit(async (em) => {
    for (let value = 0n; value < 5_000n; value++) em.create(Counter, { value });
  });
  await expect(fill).rejects.toMatchObject(error(Code.ResourceExhausted, "DATABASE_FULL"));
  expect(await countIn(store)).toBe(1);
  await pages(100_000);
  await add(store);
  expect(await countIn(store)).toBe(2);
});

test("a database that may only be read is UNAVAILABLE by name to who writes, and answers who reads", async () => {
  await using counters = await openCounters("sqlite");
  await using store = await openStore(counters);
  await add(store);
  await store.unit((em) => em.execute("pragma query_only = on")); // root may write to any file
  await expect(add(store)).rejects.toMatchObject(error(Code.Unavailable, "DATABASE_READ_ONLY"));
  expect(await countIn(store)).toBe(1);
});

test("a damaged file is told at the start, with its name and what to do", async () => {
  await using counters = await openCounters("sqlite");
  const file = join(counters.dataDir, "counter.db");
  await writeFile(file, "this was a database once, or was it not? ".repeat(100));
  await expect(openStore(counters)).rejects.toThrow(`${file} is damaged`);
  await expect(openStore(counters)).rejects.toThrow("heddle restore");
});

test("a page damaged later is DATA_LOSS by name, and not an answer", async () => {
  await using counters = await openCounters("sqlite");
  const file = join(counters.dataDir, "counter.db");
  {
    await using store = await openStore(counters);
    await store.unit(async (em) => {
      for (let value = 0n; value < 2_000n; value++) em.create(Counter, { value });
    });
  }
  const bytes = await readFile(file);
  bytes.fill(0xff, 8_192);
  await writeFile(file, bytes);
  const read = async () => {
    await using store = await openStore(counters);
    return await store.read((em) => em.find(Counter, {}));
  };
  await expect(read()).rejects.toThrow(/damaged/);
});

test("the write-ahead log is cut back after a reader has kept it long", async () => {
  await using counters = await openCounters("sqlite");
  await using store = await openStore(counters);
  const file = join(counters.dataDir, "counter.db");
  await store.unit((em) => em.execute("create table ballast (data blob)"));
  const reader = new DatabaseSync(file, { readOnly: true });
  reader.exec("begin; select count(*) from counters");
  const write = (bytes: number) => store.unit((em) => em.execute(`insert into ballast values (zeroblob(${bytes}))`));
  const sizeOf = async () => (await stat(`${file}-wal`)).size;
  for (let turn = 0; turn < 4; turn++) await write(10_000_000);
  expect(await sizeOf()).toBeGreaterThan(40_000_000);
  reader.close();
  for (let turn = 0; turn < 3; turn++) await write(1);
  expect(await sizeOf()).toBeLessThanOrEqual(16 * 2 ** 20);
});

test("a server that is away is named with its variable, without its password", async () => {
  await using counters = await openCounters("sqlite");
  const away = openStore({ ...counters, databaseUrl: "postgres://me:secret@127.0.0.1:1/shop" });
  await expect(away).rejects.toThrow(
    /DATABASE_URL=postgres:\/\/me:\*\*\*@127.0.0.1:1\/shop cannot be used; start that server/,
  );
});

test("a malformed URL is named with what it has to be", async () => {
  await using counters = await openCounters("sqlite");
  const malformed = openStore({ ...counters, databaseUrl: "mysql://me:secret@host/shop" });
  await expect(malformed).rejects.toThrow(/^DATABASE_URL has to be empty .* or a PostgreSQL URL/);
});

test("a folder that cannot be made is named with its variable", async () => {
  await using counters = await openCounters("sqlite");
  const inFile = openStore({ ...counters, dataDir: join(counters.migrationsDir, "sqlite/Migration1.js/data") });
  await expect(inFile).rejects.toThrow(/^HEDDLE_DATA=.* is no folder/);
});

test("units one after the other let the process go on with everything else", async () => {
  await using counters = await openCounters("sqlite");
  await using store = await openStore(counters);
  let isOver = false;
  setTimeout(() => {
    isOver = true;
  }, 50);
  for (let turn = 0; !isOver && turn < 20_000; turn++) await add(store);
  expect(isOver).toBe(true);
});
