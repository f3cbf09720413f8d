import { join } from "node:path";
import { EnvReader } from "../../base/env.ts";
import { checkDatabaseUrl, chooseDatabase, type Database } from "../../store/database-url.ts";
import { type Cli, type CommandArgs, type CommandOption, UsageError } from "../command.ts";

/** Those who keep rows. */
export const keepers = ["user", "order", "catalog", "gateway", "discovery"] as const;

/** One of those who keep rows. */
export type Keeper = (typeof keepers)[number];

/** Whose rows, and where they are. */
export interface Place {
  readonly name: Keeper;
  readonly database: Database;
}

/** What says where databases are, for `--help`. */
export const whereAbout =
  "Databases are the SQLite files of HEDDLE_DATA (data/ in HEDDLE_HOME unless set); where DATABASE_URL is set, that\n" +
  "PostgreSQL; where USER_DATABASE_URL, ORDER_DATABASE_URL and so on are set, or the options, one for each service.";

/** An option for each database: `--order-db <url>`. */
export function whereOptions(names: readonly Keeper[]): Readonly<Record<string, CommandOption>> {
  const option = (name: Keeper): CommandOption => {
    return { type: "string", about: `PostgreSQL URL of ${name}; default ${name.toUpperCase()}_DATABASE_URL` };
  };
  return Object.fromEntries(names.map((name) => [`${name}-db`, option(name)]));
}

/** Where the rows of these are, as options and environment say it. Throws a UsageError that names what is wrong. */
export function placesOf(
  { env, home }: Pick<Cli, "env" | "home">,
  { flags }: CommandArgs,
  names: readonly Keeper[],
): readonly Place[] {
  const typed = Object.fromEntries(Object.entries(flags).map(([name, value]) => [`--${name}`, String(value)]));
  const read = new EnvReader({ ...env, ...typed });
  const dataDir = env.HEDDLE_DATA || join(home, "data");
  const url = (setting: string) => read.secret(setting, "", "", checkDatabaseUrl) ?? "";
  const places = names.map((name) => {
    const [option, own, common] = [`--${name}-db`, `${name.toUpperCase()}_DATABASE_URL`, "DATABASE_URL"].map(url);
    return { name, database: chooseDatabase({ name, databaseUrl: option || own || common || "", dataDir }) };
  });
  if (read.complaints.length > 0) throw new UsageError([...new Set(read.complaints)].join("\n"));
  return places;
}

/** A database as messages name it. */
export function shownPlace({ name, database }: Place): string {
  return `${name} (${database.kind === "postgres" ? database.shown : database.file})`;
}
