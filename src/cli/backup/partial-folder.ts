import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive, type Marked, markOf } from "../process-mark.ts";

const ending = ".partial";
const ownerName = "owner.json";

/** Makes the folder in which a backup comes to be: beside `folder`, marked as this process's. */
export function partialFolder(folder: string): string {
  const partial = `${folder}${ending}`;
  mkdirSync(partial, { mode: 0o700 });
  writeFileSync(join(partial, ownerName), JSON.stringify(markOf(process.pid)), { mode: 0o600 });
  return partial;
}

/** Says that all is there: the mark goes. */
export function finish(partial: string): void {
  rmSync(join(partial, ownerName), { force: true });
}

/** Removes what backups have left that were ended half way; those that are under way are left alone. */
export function removePartials(to: string): void {
  for (const name of readdirSync(to)) {
    const path = join(to, name);
    if (!name.endsWith(ending)) continue;
    const owner = ownerOf(path);
    if (owner === undefined || !isAlive(owner)) rmSync(path, { recursive: true, force: true });
  }
}

function ownerOf(partial: string): Marked | undefined {
  try {
    const { pid = 0, mark } = Object(JSON.parse(readFileSync(join(partial, ownerName), "utf8"))) as Partial<Marked>;
    return pid > 0 ? { pid, mark: String(mark) } : undefined;
  } catch {
    return undefined; // it did not even come so far
  }
}
