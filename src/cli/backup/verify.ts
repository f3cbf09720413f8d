import { statSync } from "node:fs";
import { join } from "node:path";
import { BackupError } from "./backup-error.ts";
import { type Manifest, type ManifestEntry, readManifest, strangersIn } from "./manifest.ts";
import { rowsOfDump } from "./postgres-backup.ts";
import type { ToolEnv } from "./postgres-tools.ts";
import { rowsOfSqlite, sha256Of } from "./sqlite-backup.ts";

/**
 * Checks that a backup is whole and can be read: every file there, with its checksum, read to its end by the database that it is
 * of, with as many rows as were counted when it was made. Rejects with the name of what is wrong.
 */
export async function verifyBackup(folder: string, env: ToolEnv): Promise<Manifest> {
  const manifest = readManifest(folder);
  const strangers = strangersIn(folder, manifest);
  if (strangers.length > 0) {
    throw new BackupError(
      "FILE_UNKNOWN",
      `${folder} holds ${strangers.join(", ")}, of which its manifest says nothing`,
    );
  }
  for (const entry of manifest.databases) await verifyFile(join(folder, entry.file), entry, env);
  return manifest;
}

async function verifyFile(path: string, entry: ManifestEntry, env: ToolEnv): Promise<void> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new BackupError("FILE_MISSING", `${path} is missing`);
  if (stat.size !== entry.bytes) {
    throw new BackupError("FILE_CORRUPT", `${path} has ${stat.size} bytes instead of ${entry.bytes}`);
  }
  const sha256 = await sha256Of(path);
  if (sha256 !== entry.sha256)
    throw new BackupError("FILE_CORRUPT", `${path} has the SHA-256 ${sha256} instead of ${entry.sha256}`);
  const rows = entry.kind === "sqlite" ? rowsOfSqlite(path) : await rowsOfDump(path, env);
  const tables = new Set([...Object.keys(rows), ...Object.keys(entry.rows)]);
  for (const table of tables) {
    if (rows[table] === entry.rows[table]) continue;
    throw new BackupError(
      "FILE_CORRUPT",
      `${path} has ${rows[table] ?? "no"} rows in ${table} instead of ${entry.rows[table] ?? "no"}`,
    );
  }
}
