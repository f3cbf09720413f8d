import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { SnapshotSchema } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import type { Instance } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import type { Logger } from "../../base/log.ts";

/** The instances that discovery told of last, kept beyond the life of the process. */
export interface FleetCache {
  /** Keeps the instances; a write that fails is logged and otherwise nobody's problem. */
  keep(instances: readonly Instance[]): void;
  /** What was kept; nothing if there is nothing readable. */
  recall(): Promise<readonly Instance[]>;
}

/** Keeps nothing. */
export const noFleetCache: FleetCache = { keep() {}, recall: async () => [] };

/** Keeps the instances in one file under `dir`, replaced whole, so that a crash leaves no half. */
export function fileFleetCache(dir: string, log: Logger): FleetCache {
  const file = join(dir, "@fleet.json"); // beside the mesh's files, which are named after services
  let last: Promise<void> = Promise.resolve();
  async function replace(text: string): Promise<void> {
    await mkdir(dir, { recursive: true });
    const partial = `${file}.${process.pid}`;
    await writeFile(partial, text);
    await rename(partial, file);
  }
  return {
    keep(instances) {
      const text = toJsonString(SnapshotSchema, { $typeName: SnapshotSchema.typeName, instances: [...instances] });
      last = last
        .then(() => replace(text))
        .catch((error) => log.warn("the instances known last were not kept", { dir, error }));
    },
    async recall() {
      try {
        await last;
        return fromJsonString(SnapshotSchema, await readFile(file, "utf8")).instances;
      } catch {
        return []; // no file yet, or one that a full disk cut off: the same as none
      }
    },
  };
}
