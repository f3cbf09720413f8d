import type { EnvReader } from "../base/env.ts";
import { checkDatabaseUrl } from "./database-url.ts";

const databaseUrlAbout = "postgres://user:password@host:5432/name; if empty, a SQLite file";

/** Where a service keeps its rows, as the environment says it. */
export function storeSettings(read: EnvReader) {
  return {
    databaseUrl: read.secret("DATABASE_URL", "", databaseUrlAbout, checkDatabaseUrl) ?? "",
    dataDir: read.text("HEDDLE_DATA", ".heddle/data", "folder of SQLite files and of what is remembered of discovery"),
  };
}
