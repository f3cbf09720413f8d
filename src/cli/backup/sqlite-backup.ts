import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { messageOf } from "../../base/message-of.ts";
import type { SqliteSnapshot } from "../databases/sqlite-snapshot.ts";
import { BackupError } from "./backup-error.ts";

/** Pages of one step: between steps other work of this process has its turn. */
const pagesOfStep = 1_000;

/**
 * Copies a database as its snapshot sees it, while others write: SQLite's online backup reads through the connection whose
 * transaction is open, and so begins from the beginning for nobody. The copy is one file, without a write-ahead log beside it.
 */
export async function copySqlite({ db }: SqliteSnapshot, file: string): Promise<void> {
  await backup(db, file, { rate: pagesOfStep });
  using copy = new DatabaseSync(file);
  copy.exec("pragma journal_mode = delete");
}

/** How many rows each table of a file has; rejects when the file is damaged. It is read as it lies there, and not changed. */
export function rowsOfSqlite(file: string): Readonly<Record<string, number>> {
  const url = pathToFileURL(file);
  url.searchParams.set("immutable", "1");
  try {
    using db = new DatabaseSync(url, { readOnly: true });
    const [found] = db.prepare("pragma integrity_check").all();
    if (found?.integrity_check !== "ok") throw new Error(String(found?.integrity_check));
    return Object.fromEntries(tablesOf(db).map((name) => [name, countOf(db, name)]));
  } catch (reason) {
    throw new BackupError("FILE_CORRUPT", `${file} is damaged: ${messageOf(reason)}`, { cause: reason });
  }
}

/** The tables of a database that are not SQLite's own. */
export function tablesOf(db: DatabaseSync): readonly string[] {
  const rows = db.prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'").all();
  return rows.map(({ name }) => String(name));
}

/** How many rows a table has. */
export function countOf(db: DatabaseSync, table: string): number {
  return Number(db.prepare(`select count(*) as count from "${table}"`).get()?.count);
}

/** The SHA-256 of a file, in hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
