import { timestampMs } from "@bufbuild/protobuf/wkt";
import { DiscoveryService, type Service } from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import { type Instance, Status } from "../../gen/heddle/discovery/v1/instance_pb.ts";
import { silentLogger } from "../base/log.ts";
import { openMesh } from "../mesh/mesh.ts";
import { sumOfCalls } from "./metrics-text.ts";

/** One instance as `status` shows it. */
export interface InstanceView {
  readonly id: string;
  readonly name: string;
  /** Full names of the Protobuf services that it serves. */
  readonly services: readonly string[];
  readonly address: string;
  /** "https" where it speaks TLS. */
  readonly scheme: "http" | "https";
  readonly health: "healthy" | "unhealthy" | "unavailable" | "unknown";
  /** Why it is not healthy. */
  readonly reason: string;
  readonly zone: string;
  readonly version: string;
  /** When it registered, in milliseconds since the epoch. */
  readonly registeredAt: number | undefined;
  /** "host:port" of its pages for machines, where it has some. */
  readonly admin: string | undefined;
}

/** Every instance that discovery knows, whatever its health. Rejects when discovery does not answer. */
export async function listInstances(discovery: string): Promise<InstanceView[]> {
  await using mesh = await openMesh({ discovery, faults: "", log: silentLogger });
  const client = mesh.client(DiscoveryService);
  const services: Service[] = [];
  for (let pageToken = ""; ; ) {
    const page = await client.listServices({ pageSize: 1_000, pageToken });
    services.push(...page.services);
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  return services.flatMap((service) => service.instances).map(view);
}

const health: Readonly<Record<Status, InstanceView["health"]>> = {
  [Status.HEALTHY]: "healthy",
  [Status.UNHEALTHY]: "unhealthy",
  [Status.UNAVAILABLE]: "unavailable",
  [Status.UNSPECIFIED]: "unknown",
};

function view(instance: Instance): InstanceView {
  const { id, name, host, port, status, statusReason, zone, version, registerTime, metadata } = instance;
  return {
    id,
    name,
    services: instance.services,
    address: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
    scheme: metadata.scheme === "https" ? "https" : "http",
    health: health[status] ?? "unknown",
    reason: status === Status.HEALTHY ? "" : statusReason,
    zone,
    version,
    registeredAt: registerTime && timestampMs(registerTime),
    admin: metadata.admin,
  };
}

/** Calls that an instance has answered since its start; `undefined` when it does not say. */
export async function callsOf({ admin, health }: InstanceView): Promise<number | undefined> {
  if (admin === undefined || health === "unavailable") return undefined;
  try {
    const response = await fetch(`http://${admin}/metrics`, { signal: AbortSignal.timeout(1_000) });
    return response.ok ? sumOfCalls(await response.text()) : undefined;
  } catch {
    return undefined; // its pages are not for us: it still counts as what discovery says
  }
}
