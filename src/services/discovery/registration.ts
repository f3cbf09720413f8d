import { create, equals } from "@bufbuild/protobuf";
import { Lease } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import {
  HealthCheckSchema,
  type Instance,
  InstanceSchema,
  Status,
} from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import type { Random } from "../../base/random.ts";

/** How a registration ends: by not being renewed, or by being taken out and nothing else. */
export type Term = "kept-alive" | "until-deregistered";

/** What a registrant asks for, with every default filled in. */
export interface Registration {
  readonly instance: Instance;
  readonly term: Term;
  /** The host:port that a gRPC or TCP check asks, where it is not the instance's own. */
  readonly probeAddress?: string;
}

/** What is said of an instance before its first check. */
export const notChecked = {
  status: Status.UNSPECIFIED,
  statusReason: "not checked yet",
  lastCheckTime: undefined,
} as const;

/** Its share of the calls if it does not say. */
const defaultWeight = 100;

/** The term that the contract's lease stands for; unset is the one that asks nothing more of the registrant. */
export function termOf(lease: Lease): Term {
  return lease === Lease.KEPT_ALIVE ? "kept-alive" : "until-deregistered";
}

/**
 * The instance as it is kept: an id if it brought none, hosts in lower case so that one address has one spelling, the
 * default weight, and nothing of what is discovery's to say.
 */
export function normalised(asked: Instance, random: Random): Instance {
  const { name, services, host, port, zone, weight, version, metadata, healthCheck } = asked;
  return create(InstanceSchema, {
    id:
      asked.id ||
      `${name}-${Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, "0")}`,
    name,
    services: [...services].sort(),
    host: host.toLowerCase(),
    port,
    zone,
    weight: weight || defaultWeight,
    version,
    metadata,
    healthCheck,
  });
}

/** Whether a check of the one says as much about the other: the same program at the same place, checked the same way. */
export function keepsStatus(known: Registration, again: Registration): boolean {
  const [a, b] = [known.instance, again.instance];
  return (
    a.host === b.host &&
    a.port === b.port &&
    a.name === b.name &&
    a.version === b.version &&
    a.services.join() === b.services.join() &&
    known.probeAddress === again.probeAddress &&
    equals(HealthCheckSchema, a.healthCheck ?? noCheck, b.healthCheck ?? noCheck)
  );
}

const noCheck = create(HealthCheckSchema);

/** The address as callers dial it: an IPv6 address in brackets. */
export function addressOf({ host, port }: Pick<Instance, "host" | "port">): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
