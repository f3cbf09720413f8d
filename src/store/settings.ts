import type { EnvReader } from "../base/env.ts";
import { checkDatabaseUrl } from "./database-url.ts";
import { defaultPool } from "./orm-config.ts";

const databaseUrlAbout = "postgres://user:password@host:5432/name; if empty, a SQLite file";

/** Where a service keeps its rows, as the environment says it. */
export function storeSettings(read: EnvReader) {
  return {
    databaseUrl: read.secret("DATABASE_URL", "", databaseUrlAbout, checkDatabaseUrl) ?? "",
    databasePool: read.int("DATABASE_POOL", defaultPool, "most connections of a process to PostgreSQL", {
      min: 2,
      max: 1_000,
    }),
    sqliteSync: read.choice(
      "SQLITE_SYNC",
      ["normal", "full"],
      "normal",
      "full: a power cut takes back no commit either",
    ),
    dataDir: read.text("HEDDLE_DATA", ".heddle/data", "folder of SQLite files and of what is remembered of discovery"),
  };
}
