import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { LazyRows } from "./lazy-rows.ts";

const options = { limits: { maxRows: 10, maxBytes: 1_000 }, clock: systemClock, log: silentLogger };
const times = { now: 0, leaseMs: 1, keepMs: 1 };

test("the database is opened when somebody first asks for it, and once", async () => {
  await using database = await openDatabase();
  await using rows = new LazyRows({ ...options, ...database });
  const file = join(database.dataDir, "gateway.db");
  expect(existsSync(file)).toBe(false);
  const [one, two] = await Promise.all([rows.get(), rows.get()]);
  expect([one === two, existsSync(file)]).toEqual([true, true]);
});

test("an opening that fails is tried again by whoever asks next", async () => {
  await using database = await openDatabase();
  const dataDir = join(database.dataDir, "inner");
  await writeFile(dataDir, "a file where a folder should be");
  await using rows = new LazyRows({ ...options, databaseUrl: "", dataDir });
  await expect(rows.get()).rejects.toThrow("HEDDLE_DATA");
  await rm(dataDir);
  const keyed = { scope: "s", fingerprint: "f", holder: "h" };
  expect(await (await rows.get()).claim(keyed, times)).toMatchObject({ kind: "work" });
});

test("nobody opens it any more once it is closed", async () => {
  await using database = await openDatabase();
  const rows = new LazyRows({ ...options, ...database });
  await rows[Symbol.asyncDispose]();
  await expect(rows.get()).rejects.toThrow("closed");
});
