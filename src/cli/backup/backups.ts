import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../base/message-of.ts";
import { type Manifest, manifestName, readManifest } from "./manifest.ts";

/** A backup that lies in a folder of backups. */
export interface KnownBackup {
  readonly folder: string;
  /** What its manifest says; unset when that cannot be read. */
  readonly manifest?: Manifest;
  /** Why it cannot be read. */
  readonly problem?: string;
}

/** The backups in a folder, oldest first. What has no manifest is none. */
export function backupsIn(to: string): readonly KnownBackup[] {
  if (!existsSync(to)) return [];
  const folders = readdirSync(to).filter((name) => /^\d{4}-\d\d-\d\dT[\d-]+Z$/.test(name));
  return folders
    .sort()
    .map((name) => join(to, name))
    .filter((folder) => existsSync(join(folder, manifestName)))
    .map(known);
}

function known(folder: string): KnownBackup {
  try {
    return { folder, manifest: readManifest(folder) };
  } catch (reason) {
    return { folder, problem: messageOf(reason) };
  }
}

/** Removes all but the newest `keep` backups; those that cannot be read are not counted, and stay. Returns what it removed. */
export function prune(to: string, keep: number): readonly string[] {
  const good = backupsIn(to).filter(({ manifest }) => manifest !== undefined);
  const old = good.slice(0, Math.max(0, good.length - keep)).map(({ folder }) => folder);
  for (const folder of old) rmSync(folder, { recursive: true, force: true });
  return old;
}
