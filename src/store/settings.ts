import type { EnvReader } from "../base/env.ts";
import { openStore, type Store, type StoreOptions } from "./orm.ts";

/** Where a service keeps its rows, as the environment says it. */
export function storeSettings(read: EnvReader) {
  return {
    databaseUrl: read.text("DATABASE_URL", "", "postgres://user:password@host:5432/name; if empty, a SQLite file"),
    dataDir: read.text("HEDDLE_DATA", ".heddle/data", "folder of SQLite files and of what is remembered of discovery"),
  };
}

/** Opens a program's store. One that cannot be opened ends the program with status 2 and a line that says what to do. */
export async function openStoreOrExit(title: string, options: StoreOptions): Promise<Store> {
  try {
    return await openStore(options);
  } catch (reason) {
    const message = reason instanceof Error ? reason.message : String(reason);
    process.stderr.write(`${title} cannot start:\n  ${message}\n`);
    process.exit(2);
  }
}
