import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { type Place, shownPlace } from "../databases/where.ts";
import { BackupError, named } from "./backup-error.ts";
import type { Manifest, ManifestEntry } from "./manifest.ts";
import { PostgresTarget } from "./postgres-target.ts";
import type { ToolEnv } from "./postgres-tools.ts";
import { resendSql } from "./resend-sql.ts";
import type { RestoreTarget } from "./restore-target.ts";
import { SqliteTarget } from "./sqlite-target.ts";
import { verifyBackup } from "./verify.ts";

/** What to restore, and into which databases. */
export interface RestoreOptions {
  readonly folder: string;
  readonly places: readonly Place[];
  /** Whether rows that are there may go. */
  readonly force: boolean;
  readonly env: ToolEnv;
  readonly clock: Clock;
}

/**
 * Restores a backup once all of it was found whole: all databases or, if anything fails before the last step of each, none.
 * Refused while a service has one of the databases open, and where there are rows that nobody said may go.
 */
export async function restore({ folder, places, force, env, clock }: RestoreOptions): Promise<Manifest> {
  const manifest = await verifyBackup(folder, env);
  const chosen = manifest.databases.map((entry) => ({ entry, place: placeOf(entry, places) }));
  refuseShared(chosen);
  await using opened = new AsyncDisposableStack();
  const targets = chosen.map(({ entry, place: { database } }): RestoreTarget => {
    const restoring = { entry, file: join(folder, entry.file), afterwards: resendSql(entry) };
    return opened.use(
      database.kind === "sqlite"
        ? new SqliteTarget(database.file, restoring)
        : new PostgresTarget(database, restoring, env, clock),
    );
  });
  try {
    for (const target of targets) await target.claim({ force });
    for (const target of targets) await target.prepare();
    await commitAll(targets);
    return manifest;
  } catch (reason) {
    throw named(reason, chosen.map(({ place }) => shownPlace(place)).join(", "));
  }
}

async function commitAll(targets: readonly RestoreTarget[]): Promise<void> {
  try {
    for (const target of targets) await target.commit();
  } catch (reason) {
    for (const target of targets) await target.undo();
    throw reason;
  }
}

/** The one database of all whose rows an entry holds, of the entry's kind. */
function placeOf({ names, kind, file }: ManifestEntry, places: readonly Place[]): Place {
  const own = places.filter(({ name }) => names.includes(name));
  const [place] = own;
  if (place === undefined) throw new BackupError("NO_DATABASE", `nothing says where to restore ${file} to`);
  const words = { sqlite: "a SQLite file", postgres: "a PostgreSQL database" };
  const other = own.find(({ database }) => database.kind !== kind);
  if (other !== undefined) {
    const advice = `set DATABASE_URL, or ${other.name.toUpperCase()}_DATABASE_URL, as it was when the backup was made`;
    throw new BackupError(
      "OTHER_KIND",
      `${file} is of ${words[kind]}, and ${shownPlace(other)} is ${words[other.database.kind]}: ${advice}`,
    );
  }
  if (new Set(own.map(addressOf)).size > 1) {
    throw new BackupError(
      "OTHER_KIND",
      `${file} holds ${names.join(" and ")} in one database, and they have several now`,
    );
  }
  return place;
}

/** What lay in several databases is not restored into one, where each would take the others' tables away. */
function refuseShared(chosen: readonly { readonly entry: ManifestEntry; readonly place: Place }[]): void {
  const seen = new Map<string, string>();
  for (const { entry, place } of chosen) {
    const before = seen.get(addressOf(place));
    if (before !== undefined) {
      throw new BackupError(
        "OTHER_KIND",
        `${before} and ${entry.file} were two databases, and ${shownPlace(place)} is one`,
      );
    }
    seen.set(addressOf(place), entry.file);
  }
}

const addressOf = ({ database }: Place) => (database.kind === "sqlite" ? database.file : database.url);
