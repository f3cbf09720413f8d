import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../base/message-of.ts";
import { type Keeper, keepers } from "../databases/where.ts";
import { BackupError } from "./backup-error.ts";

/** The file that makes a folder a backup. */
export const manifestName = "manifest.json";

/** How a backup is laid out; a newer layout has a larger number. */
export const formatVersion = 1;

/** One database in a backup. */
export interface ManifestEntry {
  /** Whose rows they are; several where they share one database. */
  readonly names: readonly Keeper[];
  readonly kind: "sqlite" | "postgres";
  /** The file beside the manifest. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** How many rows each table had. */
  readonly rows: Readonly<Record<string, number>>;
  /** The migrations that its tables have been through. */
  readonly migrations: readonly string[];
  /** The name of the snapshot that was copied, where the database gives it one. */
  readonly snapshot: string;
}

/** What is in a backup. */
export interface Manifest {
  readonly format: number;
  /** The version of Heddle that made it. */
  readonly heddle: string;
  /** The instant that all databases in it are as of, RFC 3339. */
  readonly takenAt: string;
  readonly databases: readonly ManifestEntry[];
  /** Those who had no database yet. */
  readonly absent: readonly Keeper[];
}

/** Writes the manifest, the last thing in a backup: what is there before it is on the disk. */
export function writeManifest(folder: string, manifest: Manifest): void {
  for (const { file } of manifest.databases) sync(join(folder, file));
  const path = join(folder, manifestName);
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
  sync(folder);
}

/** Makes sure that a file, or what a folder lists, is on the disk. */
export function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Reads the manifest of a folder. A folder without one is no backup; one of a later format is left to a later Heddle. */
export function readManifest(folder: string): Manifest {
  const manifest = parse(folder, textOf(folder));
  const { format } = manifest;
  if (typeof format === "number" && format > formatVersion) {
    const advice = `this Heddle reads up to ${formatVersion}: use the Heddle that made it (${manifest.heddle})`;
    throw new BackupError("FORMAT_TOO_NEW", `${folder} has format ${format}, and ${advice}`);
  }
  if (!isManifest(manifest))
    throw new BackupError("BAD_MANIFEST", `${join(folder, manifestName)} is no manifest of a backup`);
  return manifest;
}

function textOf(folder: string): string {
  try {
    return readFileSync(join(folder, manifestName), "utf8");
  } catch (reason) {
    throw new BackupError("NO_BACKUP", `${folder} is no backup, or was never finished: ${messageOf(reason)}`);
  }
}

function parse(folder: string, text: string): Partial<Manifest> {
  try {
    return Object(JSON.parse(text));
  } catch (reason) {
    throw new BackupError("BAD_MANIFEST", `${join(folder, manifestName)} cannot be read: ${messageOf(reason)}`);
  }
}

function isManifest(value: Partial<Manifest>): value is Manifest {
  const { format, heddle, takenAt, databases, absent } = value;
  if (format !== formatVersion || typeof heddle !== "string" || Number.isNaN(Date.parse(String(takenAt)))) return false;
  return isKeepers(absent) && Array.isArray(databases) && databases.every(isEntry);
}

function isEntry(value: unknown): value is ManifestEntry {
  const { names, kind, file, bytes, sha256, rows, migrations } = Object(value) as Partial<ManifestEntry>;
  if (!isKeepers(names) || names.length === 0 || (kind !== "sqlite" && kind !== "postgres")) return false;
  if (typeof file !== "string" || !/^[a-z-]+\.(db|dump)$/.test(file) || !Number.isSafeInteger(bytes)) return false;
  return (
    /^[0-9a-f]{64}$/.test(String(sha256)) &&
    Object.values(Object(rows)).every(Number.isSafeInteger) &&
    Array.isArray(migrations)
  );
}

const isKeepers = (value: unknown): value is readonly Keeper[] =>
  Array.isArray(value) && value.every((name) => (keepers as readonly unknown[]).includes(name));

/** What lies in a folder and no manifest tells of. */
export function strangersIn(folder: string, { databases }: Manifest): readonly string[] {
  const known = new Set([manifestName, ...databases.map(({ file }) => file)]);
  return readdirSync(folder).filter((name) => !known.has(name));
}
