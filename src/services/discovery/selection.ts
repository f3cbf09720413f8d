import { type Instance, Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";

/** Whatever holds an instance. */
interface Held {
  readonly instance: Instance;
}

/** Which instances someone asks for. */
export interface Selection {
  /** A Protobuf service or an instance name; everything if empty. */
  readonly service: string;
  /** Whether instances that are not healthy are wanted too. */
  readonly includeUnhealthy: boolean;
}

/** Whether the entry is among what is asked for, as it stands. */
export function selects({ service, includeUnhealthy }: Selection, { instance }: Held): boolean {
  if (!includeUnhealthy && instance.status !== Status.HEALTHY) return false;
  return service === "" || instance.name === service || instance.services.includes(service);
}

/** Statuses from the best down; one that is not known yet promises least. */
const bestFirst: readonly Status[] = [Status.HEALTHY, Status.UNHEALTHY, Status.UNAVAILABLE];

/** How a service fares as a whole: as well as the best of its instances. */
export function bestStatus(entries: readonly Held[]): Status {
  return bestFirst.find((status) => entries.some((entry) => entry.instance.status === status)) ?? Status.UNSPECIFIED;
}
