import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { openSnapshots } from "../databases/open-databases.ts";
import type { PostgresSnapshot } from "../databases/postgres-snapshot.ts";
import type { Snapshot } from "../databases/snapshot.ts";
import type { SqliteSnapshot } from "../databases/sqlite-snapshot.ts";
import type { Keeper, Place } from "../databases/where.ts";
import { BackupError, named } from "./backup-error.ts";
import { formatVersion, type Manifest, type ManifestEntry, sync, writeManifest } from "./manifest.ts";
import { finish, partialFolder, removePartials } from "./partial-folder.ts";
import { dumpPostgres } from "./postgres-backup.ts";
import type { ToolEnv } from "./postgres-tools.ts";
import { copySqlite, sha256Of } from "./sqlite-backup.ts";

/** What to back up, and where to. */
export interface BackUpOptions {
  readonly places: readonly Place[];
  /** The folder of backups: each becomes a folder in it. */
  readonly to: string;
  /** The version of Heddle, for the manifest. */
  readonly version: string;
  readonly env: ToolEnv;
  readonly clock: Clock;
}

/** A backup that was made. */
export interface MadeBackup {
  readonly folder: string;
  readonly manifest: Manifest;
}

/**
 * Copies every database, all as of one instant, while services go on. What it makes is a folder with a manifest, or nothing:
 * until all is on the disk the folder goes by another name, and a failure removes it.
 */
export async function backUp(options: BackUpOptions): Promise<MadeBackup> {
  const { places, to, clock } = options;
  const present = places.filter(({ database }) => database.kind === "postgres" || existsSync(database.file));
  const absent = places.filter((place) => !present.includes(place)).map(({ name }) => name);
  if (present.length === 0) throw noDatabase(places);
  try {
    mkdirSync(to, { recursive: true, mode: 0o700 });
    removePartials(to);
    const folder = join(to, nameOf(clock.wall()));
    if (existsSync(folder)) throw new BackupError("FAILED", `${folder} exists already: one backup a second is enough`);
    const partial = partialFolder(folder);
    try {
      const manifest = await fill(partial, { ...options, places: present }, absent);
      renameSync(partial, folder);
      sync(to);
      return { folder, manifest };
    } catch (reason) {
      rmSync(partial, { recursive: true, force: true });
      throw reason;
    }
  } catch (reason) {
    throw named(reason, to);
  }
}

/** "2026-11-21T13-07-00Z": in the order of time, and a name that every file system takes. */
function nameOf(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19).replaceAll(":", "-")}Z`;
}

async function fill(folder: string, options: BackUpOptions, absent: readonly Keeper[]): Promise<Manifest> {
  const { places, version, clock } = options;
  const groups = shared(places);
  await using pinned = await openSnapshots(
    groups.map(([place]) => place),
    clock,
  );
  const takenAt = new Date(clock.wall()).toISOString();
  const databases: ManifestEntry[] = [];
  for (const group of groups) {
    const snapshot = pinned.snapshots.get(group[0].name) as Snapshot;
    databases.push(await copyOne(folder, { group, snapshot, env: options.env }));
  }
  const manifest = { format: formatVersion, heddle: version, takenAt, databases, absent };
  finish(folder);
  writeManifest(folder, manifest);
  return manifest;
}

/** Services may share a PostgreSQL database: it is copied once. */
type Group = readonly [Place, ...Place[]];

function shared(places: readonly Place[]): readonly Group[] {
  const groups = new Map<string, [Place, ...Place[]]>();
  for (const place of places) {
    const { database } = place;
    const key = database.kind === "postgres" ? database.url : database.file;
    const group = groups.get(key);
    if (group) group.push(place);
    else groups.set(key, [place]);
  }
  return [...groups.values()];
}

interface Copying {
  readonly group: Group;
  readonly snapshot: Snapshot;
  readonly env: ToolEnv;
}

async function copyOne(folder: string, { group, snapshot, env }: Copying): Promise<ManifestEntry> {
  const [{ database }] = group;
  const names = group.map(({ name }) => name);
  const file = `${names.join("-")}.${database.kind === "postgres" ? "dump" : "db"}`;
  const path = join(folder, file);
  if (database.kind === "sqlite") await copySqlite(snapshot as SqliteSnapshot, path);
  else await dumpPostgres(database, { snapshot: snapshot as PostgresSnapshot, file: path, env });
  chmodSync(path, 0o600);
  const { rows, migrations } = await contentsOf(snapshot);
  const { size } = statSync(path);
  const id = database.kind === "postgres" ? (snapshot as PostgresSnapshot).id : "";
  return {
    names,
    kind: database.kind,
    file,
    bytes: size,
    sha256: await sha256Of(path),
    rows,
    migrations,
    snapshot: id,
  };
}

const tablesSql = {
  sqlite: "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name",
  postgres: "select tablename as name from pg_tables where schemaname = 'public' order by 1",
};

async function contentsOf(snapshot: Snapshot): Promise<Pick<ManifestEntry, "rows" | "migrations">> {
  const tables = (await snapshot.all(tablesSql[snapshot.kind])).map(({ name }) => String(name));
  const rows: Record<string, number> = {};
  for (const table of tables) {
    const [found] = await snapshot.all(`select count(*) as count from "${table}"`);
    rows[table] = Number(found?.count);
  }
  const migrations: string[] = [];
  for (const table of tables.filter((name) => name.endsWith("_migrations"))) {
    migrations.push(...(await snapshot.all(`select name from "${table}" order by id`)).map(({ name }) => String(name)));
  }
  return { rows, migrations };
}

function noDatabase(places: readonly Place[]): BackupError {
  const files = places.map(({ database }) => (database.kind === "sqlite" ? database.file : database.shown));
  const advice = "set HEDDLE_DATA to the folder of the databases, or DATABASE_URL";
  return new BackupError(
    "NO_DATABASE",
    `there is nothing to back up, as none of ${files.join(", ")} exists: ${advice}`,
  );
}
