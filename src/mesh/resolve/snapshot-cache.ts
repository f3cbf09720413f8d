import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../base/log.ts";
import type { Endpoint } from "./resolver.ts";

/** The last good endpoints of each service, kept beyond the life of the process. */
export interface SnapshotCache {
  /** Keeps the endpoints; a write that fails is logged and otherwise nobody's problem. */
  write(service: string, endpoints: readonly Endpoint[]): void;
  /** What was kept, or `undefined` if there is nothing or nothing readable. */
  read(service: string): Promise<readonly Endpoint[] | undefined>;
}

/** Keeps nothing. */
export const noCache: SnapshotCache = { write() {}, read: async () => undefined };

/** Keeps each service's endpoints in a file of its own under `dir`, replaced whole, so that a crash leaves no half. */
export function fileCache(dir: string, log: Logger): SnapshotCache {
  const fileOf = (service: string) => join(dir, `${encodeURIComponent(service)}.json`);
  let last: Promise<void> = Promise.resolve();
  async function replace(service: string, text: string): Promise<void> {
    await mkdir(dir, { recursive: true });
    const partial = `${fileOf(service)}.${process.pid}`;
    await writeFile(partial, text);
    await rename(partial, fileOf(service));
  }
  return {
    write(service, endpoints) {
      last = last
        .then(() => replace(service, JSON.stringify(endpoints)))
        .catch((error) => log.warn("the snapshot of endpoints was not kept", { service, dir, error }));
    },
    async read(service) {
      try {
        const kept: unknown = JSON.parse(await readFile(fileOf(service), "utf8"));
        return Array.isArray(kept) && kept.every(isEndpoint) ? kept : undefined;
      } catch {
        return undefined; // no file yet, or one that a full disk cut off: the same as none
      }
    },
  };
}

function isEndpoint(value: unknown): value is Endpoint {
  if (typeof value !== "object" || value === null) return false;
  const { id, name, address, zone, weight, version } = value as Record<string, unknown>;
  return [id, name, address, zone, version].every((text) => typeof text === "string") && typeof weight === "number";
}
