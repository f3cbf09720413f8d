import type { EnvReader } from "../base/env.ts";

/** Where a service keeps its rows, as the environment says it. */
export function storeSettings(read: EnvReader) {
  return {
    databaseUrl: read.text("DATABASE_URL", "", "postgres://user:password@host:5432/name; if empty, a SQLite file"),
    dataDir: read.text("HEDDLE_DATA", ".heddle/data", "folder of SQLite files and of what is remembered of discovery"),
  };
}
