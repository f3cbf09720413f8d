import { copyFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { Counter, openCounters } from "../test/suites/store-suite.ts";
import { eventually } from "../testing/eventually.ts";
import { openStore, type Store } from "./orm.ts";

/** Far fewer than have a commit copy the log itself, and more than are done without the thread. */
const commits = 600;

const add = (store: Store) => store.unit(async (em) => em.create(Counter, { value: 1n }));

/** How many counters are in the file itself, whatever its log holds. */
async function countInFile(dataDir: string): Promise<number> {
  const copy = join(dataDir, "copy.db");
  await copyFile(join(dataDir, "counter.db"), copy);
  const db = new DatabaseSync(copy);
  try {
    return Number(db.prepare("select count(*) as n from counters").get()?.n ?? 0);
  } catch {
    return 0; // not even its table is there yet, or the file was being written
  } finally {
    db.close();
    await rm(copy);
  }
}

test("what was committed gets into the file though no commit copies the log", async () => {
  await using counters = await openCounters("sqlite");
  await using store = await openStore({ ...counters });
  for (let n = 0; n < commits; n++) await add(store);
  await eventually("commits are copied", async () => {
    await add(store);
    return (await countInFile(counters.dataDir)) >= commits;
  });
});

test("closing ends the thread and clears the log away; nothing is lost", async () => {
  await using counters = await openCounters("sqlite");
  const store = await openStore({ ...counters });
  for (let n = 0; n < commits; n++) await add(store);
  await store[Symbol.asyncDispose]();
  expect((await readdir(counters.dataDir)).filter((name) => /-(wal|shm)$/.test(name))).toEqual([]);
  expect(await countInFile(counters.dataDir)).toBe(commits);
});

test("where the thread cannot work, the store works on without it", async () => {
  await using counters = await openCounters("sqlite");
  await using store = await openStore({ ...counters });
  for (let n = 0; n < 200; n++) await add(store);
  await rm(join(counters.dataDir, "counter.db")); // this process has it open still; the thread finds nothing
  for (let n = 200; n < commits; n++) await add(store);
  expect(await store.read((em) => em.count(Counter))).toBe(commits);
  expect(await readdir(counters.dataDir)).not.toContain("counter.db");
});
