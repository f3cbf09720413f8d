import { messageOf } from "../base/message-of.ts";
/** Where the rows are: in a SQLite file of this machine, or in a PostgreSQL server. */
export type Database =
  | { readonly kind: "sqlite"; readonly file: string }
  | {
      readonly kind: "postgres";
      readonly url: string /** The URL without its password, for messages. */;
      readonly shown: string;
    };

/** The databases there are. */
export type DatabaseKind = Database["kind"];

const wanted = "has to be empty (a SQLite file) or a PostgreSQL URL such as postgres://user:password@host:5432/name";

/**
 * DATABASE_URL as it stands, or an Error whose message reads on after the variable's name: settings and `openStore`
 * refuse the same things in the same words, and never repeat a password.
 */
export function checkDatabaseUrl(databaseUrl: string): string {
  if (databaseUrl === "") return databaseUrl;
  const url = URL.parse(databaseUrl);
  if (url === null || !["postgres:", "postgresql:"].includes(url.protocol)) throw new Error(wanted);
  if (url.hostname === "" && !url.searchParams.has("host")) throw new Error(`names no host; it ${wanted}`);
  if (url.pathname.length < 2) throw new Error(`names no database; it ${wanted}`);
  return databaseUrl;
}

/** The database that DATABASE_URL and the name of the service choose. */
export function chooseDatabase(options: {
  readonly name: string;
  readonly databaseUrl: string;
  readonly dataDir: string;
}): Database {
  const { name, databaseUrl, dataDir } = options;
  if (databaseUrl === "") return { kind: "sqlite", file: `${dataDir}/${name}.db` };
  try {
    checkDatabaseUrl(databaseUrl);
  } catch (reason) {
    throw new Error(`DATABASE_URL ${messageOf(reason)}`);
  }
  const shown = new URL(databaseUrl);
  if (shown.password !== "") shown.password = "***";
  return { kind: "postgres", url: databaseUrl, shown: shown.href };
}
