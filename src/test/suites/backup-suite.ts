import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { audit } from "../../cli/audit/audit.ts";
import { backUp } from "../../cli/backup/back-up.ts";
import { type Manifest, manifestName, readManifest } from "../../cli/backup/manifest.ts";
import { restore } from "../../cli/backup/restore.ts";
import { verifyBackup } from "../../cli/backup/verify.ts";
import { openSnapshots } from "../../cli/databases/open-databases.ts";
import type { Place } from "../../cli/databases/where.ts";
import { allSlots } from "../../events/slots.ts";
import { chooseDatabase, type DatabaseKind } from "../../store/database-url.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { type Books, bookOrder, bookProduct, openBooks, orderId } from "./audit-parts.ts";

const env = process.env;
const clock = systemClock;

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "heddle-backup-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Databases in which nothing lies, not even tables. */
async function openEmpty(kind: DatabaseKind): Promise<AsyncDisposable & { readonly places: readonly Place[] }> {
  await using opening = new AsyncDisposableStack();
  const places: Place[] = [];
  for (const name of ["user", "order", "catalog"] as const) {
    places.push({ name, database: chooseDatabase({ name, ...opening.use(await openDatabase(kind)) }) });
  }
  const opened = opening.move();
  return { places, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** A shop of one order, and a backup of it. */
async function openBackup(kind: DatabaseKind) {
  const books = await openBooks(kind);
  await bookProduct(books, "ABC", { sold: 1 });
  await bookOrder(books, 1, "confirmed");
  const to = scratch();
  const { folder, manifest } = await backUp({ places: books.places, to, version: "1.2.3", env, clock });
  return { books, to, folder, manifest, [Symbol.asyncDispose]: () => books[Symbol.asyncDispose]() };
}

/** What can become of a backup, and by which name it is found. */
const damages: readonly (readonly [name: string, problem: string, damage: (folder: string, file: string) => void])[] = [
  ["one byte is another", "FILE_CORRUPT", (_, file) => flip(file)],
  ["it is cut off", "FILE_CORRUPT", (_, file) => truncateSync(file, statSync(file).size - 1)],
  ["a file is gone", "FILE_MISSING", (_, file) => rmSync(file)],
  ["a file came from elsewhere", "FILE_UNKNOWN", (folder) => writeFileSync(join(folder, "more.db"), "")],
  ["it was never finished", "NO_BACKUP", (folder) => rmSync(join(folder, manifestName))],
  ["its manifest is cut off", "BAD_MANIFEST", (folder) => truncateSync(join(folder, manifestName), 100)],
  ["its manifest counts other rows", "FILE_CORRUPT", (folder) => rewrite(folder, /"orders": 1/, '"orders": 2')],
  ["its manifest names a file elsewhere", "BAD_MANIFEST", (folder) => rewrite(folder, /"file": "/, '"file": "../')],
  ["it is of a later format", "FORMAT_TOO_NEW", (folder) => rewrite(folder, /"format": 1/, '"format": 2')],
];

function flip(file: string): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

function rewrite(folder: string, what: RegExp, by: string): void {
  const path = join(folder, manifestName);
  const text = readFileSync(path, "utf8");
  expect(text).toMatch(what);
  writeFileSync(path, text.replace(what, by));
}

async function countOf(places: readonly Place[], name: string, table: string): Promise<number> {
  await using pinned = await openSnapshots(places.filter((place) => place.name === name));
  for (const snapshot of pinned.snapshots.values()) {
    const [found] = await snapshot.all(`select count(*) as count from ${table}`);
    return Number(found?.count);
  }
  throw new RangeError(`there is no ${name}`);
}

/** What backups of databases of this kind are. */
export function backupSuite(kind: DatabaseKind): void {
  test("what was backed up is there after a restore into empty databases", async () => {
    await using backup = await openBackup(kind);
    await using empty = await openEmpty(kind);
    await restore({ folder: backup.folder, places: empty.places, force: false, env, clock });
    const accepted = [{ requestId: "request-1", orderId: orderId(1) }];
    expect(await audit({ places: empty.places, accepted })).toMatchObject({ verdict: "right" });
  });

  test("after a restore a broker is sent again what it may have lost", async () => {
    await using backup = await openBackup(kind);
    await using empty = await openEmpty(kind);
    await restore({ folder: backup.folder, places: empty.places, force: false, env, clock });
    await using pinned = await openSnapshots(empty.places.filter(({ name }) => name === "order"));
    const rows = await pinned.snapshots
      .get("order")
      ?.all("select slot, next, last from order_event_resends order by slot");
    expect(rows?.map(({ slot, next, last }) => [slot, next, last].map(Number))).toEqual(
      allSlots.map((slot) => [slot, 1, 13]),
    );
  });

  test("a manifest tells of every file, and all of it is for its owner alone", async () => {
    await using backup = await openBackup(kind);
    expect(backup.manifest).toMatchObject({ format: 1, heddle: "1.2.3", absent: [] });
    expect(backup.manifest.databases.map(({ names }) => names)).toEqual([["user"], ["order"], ["catalog"]]);
    expect(backup.manifest.databases[1]?.rows).toMatchObject({ orders: 1, order_events: 2, order_request_ids: 1 });
    expect(backup.manifest.databases[1]?.migrations.length).toBeGreaterThan(0);
    expect(readManifest(backup.folder)).toEqual(backup.manifest);
    expect(readdirSync(backup.to)).toHaveLength(1);
    expect(statSync(backup.folder).mode & 0o077).toBe(0);
    for (const name of readdirSync(backup.folder)) expect(statSync(join(backup.folder, name)).mode & 0o077).toBe(0);
    expect(await verifyBackup(backup.folder, env)).toEqual(backup.manifest);
  });

  describe("a backup that is not whole is refused by name, and nothing is restored", () => {
    test.each(damages)("%s", async (_, problem, damage) => {
      await using backup = await openBackup(kind);
      await using empty = await openEmpty(kind);
      damage(backup.folder, join(backup.folder, backup.manifest.databases[1]?.file ?? ""));
      await expect(verifyBackup(backup.folder, env)).rejects.toMatchObject({ problem });
      const refused = restore({ folder: backup.folder, places: empty.places, force: true, env, clock });
      await expect(refused).rejects.toMatchObject({ problem });
      for (const { database } of empty.places)
        expect(database.kind === "sqlite" && existsSync(database.file)).toBe(false);
    });
  });

  test("rows that are there stay, and those of no other database change, unless they are said to go", async () => {
    await using backup = await openBackup(kind);
    await using other = await openBooks(kind);
    await bookProduct(other, "XYZ", { sold: 0 }); // the catalog comes last
    await other.close();
    const into = (force: boolean) => restore({ folder: backup.folder, places: other.places, force, env, clock });
    await expect(into(false)).rejects.toMatchObject({
      problem: "NOT_EMPTY",
      message: expect.stringMatching(/products.*--force/),
    });
    expect(await countOf(other.places, "order", "orders")).toBe(0);
    await into(true);
    expect(await countOf(other.places, "order", "orders")).toBe(1);
    expect((await audit({ places: other.places })).verdict).toBe("right");
  });

  test("a database that a service has open is not restored into", async () => {
    await using backup = await openBackup(kind);
    await using other = await openBooks(kind);
    const refused = restore({ folder: backup.folder, places: other.places, force: true, env, clock });
    await expect(refused).rejects.toMatchObject({ problem: "IN_USE" });
  });

  test("if the last database cannot be restored, no other one is", async () => {
    await using backup = await openBackup(kind);
    await using empty = await openEmpty(kind);
    const unknown = chooseDatabase({
      name: "catalog",
      dataDir: "/dev/null/no-folder",
      databaseUrl: kind === "sqlite" ? "" : "postgres://nobody@127.0.0.1:1/nothing",
    });
    const places = empty.places.map((place) => (place.name === "catalog" ? { ...place, database: unknown } : place));
    await expect(restore({ folder: backup.folder, places, force: false, env, clock })).rejects.toThrow();
    await restore({ folder: backup.folder, places: empty.places, force: false, env, clock }); // they are as empty as before
  });

  test("a backup of one kind of database is not restored into another", async () => {
    await using backup = await openBackup(kind);
    const url = kind === "sqlite" ? "postgres://nobody@127.0.0.1:1/nothing" : "";
    const places = backup.books.places.map(({ name }) => ({
      name,
      database: chooseDatabase({ name, databaseUrl: url, dataDir: scratch() }),
    }));
    const refused = restore({ folder: backup.folder, places, force: true, env, clock });
    await expect(refused).rejects.toMatchObject({ problem: "OTHER_KIND" });
  });

  test("all databases are copied as of one instant while others write to them", async () => {
    await using books = await openBooks(kind);
    const to = scratch();
    let written = 0;
    let isOver = false;
    const writing = (async () => {
      for (; !isOver; written++) {
        await writeCauseThenEffect(books, written);
        await setImmediate(); // SQLite answers without letting anybody else have a turn
      }
    })();
    const seen: Manifest[] = [];
    for (let at = 0; at < 3; at++) {
      const before = written;
      const { manifest } = await backUp({ places: books.places, to: join(to, `${at}`), version: "1", env, clock });
      const [cause, effect] = [rowsIn(manifest, "orders"), rowsIn(manifest, "user_orders")];
      expect(effect).toBeGreaterThanOrEqual(before);
      expect([0, 1]).toContain(cause - effect);
      seen.push(await verifyBackup((await backupIn(join(to, `${at}`))) ?? "", env));
    }
    isOver = true;
    await writing;
    expect(seen).toHaveLength(3);
    expect(rowsIn(seen[2] as Manifest, "orders")).toBeGreaterThan(rowsIn(seen[0] as Manifest, "orders"));
  });

  test("a backup that fails leaves nothing, and those before it stay", async () => {
    await using backup = await openBackup(kind);
    const missing = chooseDatabase({
      name: "catalog",
      dataDir: scratch(),
      databaseUrl: kind === "sqlite" ? "" : "postgres://nobody@127.0.0.1:1/nothing",
    });
    if (missing.kind === "sqlite") writeFileSync(missing.file, "this is no database".repeat(100));
    const places = backup.books.places.map((place) =>
      place.name === "catalog" ? { ...place, database: missing } : place,
    );
    const later = { ...clock, wall: () => clock.wall() + 60_000 };
    await expect(backUp({ places, to: backup.to, version: "1", env, clock: later })).rejects.toMatchObject({
      problem: "FAILED",
    });
    expect(readdirSync(backup.to).map((name) => join(backup.to, name))).toEqual([backup.folder]);
  });
}

async function writeCauseThenEffect(books: Books, n: number): Promise<void> {
  const total = { currency: "EUR", total_units: 1, total_nanos: 0 };
  const times = { created_at: "2026-11-21 12:00:00", updated_at: "2026-11-21 12:00:00", version: 1 };
  const rest = { status: "pending", ...total, ...times };
  await books.insert("order", "orders", { id: orderId(n), user_id: 1, lines: "[]", cancel_reason: "", ...rest });
  await books.insert("user", "user_orders", { order_id: orderId(n), user_id: 1, item_count: 1, ...rest });
}

function rowsIn({ databases }: Manifest, table: string): number {
  return databases.find(({ rows }) => table in rows)?.rows[table] ?? Number.NaN;
}

async function backupIn(folder: string): Promise<string | undefined> {
  const [name] = readdirSync(folder);
  return name && join(folder, name);
}
