import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../base/clock.ts";
import { isLocked, whenFree } from "../../store/lock-wait.ts";
import { type Holdable, type Row, type Snapshot, StillBusy } from "./snapshot.ts";

const pageRows = 2_000;

/** A SQLite file as it was at one instant. */
export interface SqliteSnapshot extends Snapshot {
  /** The connection whose transaction sees that instant. */
  readonly db: DatabaseSync;
}

/** Opens a file for snapshots. One connection takes the write lock, another one begins to read under it. */
export function openSqlite(file: string, clock: Clock): Holdable<SqliteSnapshot> {
  if (!existsSync(file)) throw new Error(`${file} does not exist: set HEDDLE_DATA to the folder of the databases`);
  using opening = new DisposableStack();
  const open = () => opening.adopt(new DatabaseSync(file, { timeout: 0 }), (db) => db.close());
  const [writer, reader] = [open(), open()];
  const opened = opening.move();
  return {
    async hold(timeoutMs) {
      try {
        await whenFree(() => writer.exec("begin immediate"), { timeoutMs, clock });
      } catch (reason) {
        if (isLocked(reason)) throw new StillBusy(`${file} is written to all the time`, { cause: reason });
        throw reason;
      }
    },
    async pin() {
      reader.exec("begin");
      reader.prepare("select count(*) from sqlite_schema").get(); // a transaction sees what its first read sees
      const all = async (sql: string) => prepare(reader, sql).all();
      return { kind: "sqlite", db: reader, all, pages: (sql) => pages(reader, sql) };
    },
    async release() {
      if (writer.isTransaction) writer.exec("rollback");
    },
    async [Symbol.asyncDispose]() {
      opened.dispose();
    },
  };
}

/** Integers come as bigint: one that a number cannot hold would be refused. */
function prepare(db: DatabaseSync, sql: string) {
  const statement = db.prepare(sql);
  statement.setReadBigInts(true);
  return statement;
}

/** SQLite answers at once and on this thread: between pages others have their turn. */
async function* pages(db: DatabaseSync, sql: string): AsyncGenerator<readonly Row[]> {
  let page: Row[] = [];
  for (const row of prepare(db, sql).iterate()) {
    page.push(row);
    if (page.length < pageRows) continue;
    yield page;
    page = [];
    await setImmediate();
  }
  yield page;
}
