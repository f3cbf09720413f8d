import { fromJsonString, toJsonString } from "@bufbuild/protobuf";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { InstanceSchema } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { InstanceRow, StartRow } from "./instance-entity.ts";
import type { Entry } from "./registry.ts";

/** An entry as it was kept; the serial is the running registry's own. */
export type KeptEntry = Omit<Entry, "serial">;

/** Registrations, as one unit of work sees them. */
export function instanceRepository(em: SqlEntityManager) {
  return {
    /** Every registration there is. */
    all: async () => (await em.findAll(InstanceRow)).map(fromRow),
    /** Writes registrations, in the place of those under the same ids. */
    save: (entries: readonly KeptEntry[]) => em.upsertMany(InstanceRow, entries.map(toRow)),
    /** Removes registrations; ids that are not there are passed over. */
    remove: (ids: readonly string[]) => em.nativeDelete(InstanceRow, { id: { $in: [...ids] } }),
    /** Counts one more start, and says the how manieth it is. */
    async countStart(): Promise<number> {
      const { count } = (await em.findOne(StartRow, { id: 1 })) ?? { count: 0 };
      await em.upsert(StartRow, { id: 1, count: count + 1 });
      return count + 1;
    },
  };
}

function toRow({ instance, term, probeAddress, lapsedAt }: KeptEntry) {
  const { id, name, host, port } = instance;
  return {
    id,
    name,
    host,
    port,
    term,
    probeAddress: probeAddress ?? null,
    lapsedAt: lapsedAt === undefined ? null : new Date(lapsedAt),
    body: toJsonString(InstanceSchema, instance),
  };
}

function fromRow({ term, probeAddress, lapsedAt, body }: InstanceRow): KeptEntry {
  return {
    instance: fromJsonString(InstanceSchema, body, { ignoreUnknownFields: true }),
    term,
    ...(probeAddress && { probeAddress }),
    ...(lapsedAt && { lapsedAt: lapsedAt.getTime() }),
  };
}
