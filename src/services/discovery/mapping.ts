import { create } from "@bufbuild/protobuf";
import { type Service, ServiceSchema } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { type Status, StatusSchema } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import type { Entry } from "./registry.ts";
import { bestStatus } from "./selection.ts";

/** Entries, in their order, as the services that they are replicas of. */
export function groupByName(entries: readonly Entry[]): readonly Service[] {
  const groups = Map.groupBy(entries, (entry) => entry.instance.name);
  return [...groups].map(([name, members]) => serviceOf(name, members));
}

/**
 * The service that was asked for by one of its names: replicas of that name if there are any, otherwise what serves the
 * Protobuf service. It has the name its instances share; if they share none, the one that was asked for.
 */
export function groupOf(entries: readonly Entry[], asked: string): Service | undefined {
  const groups = groupByName(entries);
  const exact = groups.find(({ name }) => name === asked);
  if (exact || groups.length < 2) return exact ?? groups[0];
  return serviceOf(
    asked,
    entries.toSorted((a, b) => (a.instance.id < b.instance.id ? -1 : 1)),
  );
}

function serviceOf(name: string, entries: readonly Entry[]): Service {
  const instances = entries.map((entry) => entry.instance);
  return create(ServiceSchema, { name, status: bestStatus(entries), instances });
}

/** "healthy": a status as people read it. */
export function statusName(status: Status): string {
  const { name = "" } = StatusSchema.value[status] ?? {};
  return name.replace(StatusSchema.sharedPrefix?.toUpperCase() ?? "", "").toLowerCase();
}
