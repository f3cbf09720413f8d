import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Instance, Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { endpointOf } from "../../mesh/resolve/endpoint-view.ts";
import type { ResolvedAggregate } from "../aggregate/resolved.ts";
import type { Fleet } from "../routes/fleet.ts";
import type { Routes } from "../routes/route-table.ts";
import { closedMethods, noKeysProblem } from "../upstream/keep-closed.ts";

/** What the page tells of. */
export interface HealthPageOptions {
  readonly serving: boolean;
  readonly version: string;
  /** Whether the gateway can prove callers. */
  readonly provesCallers: boolean;
  readonly fleet: Fleet;
  readonly routes: Routes;
}

type Word = "healthy" | "unhealthy" | "unavailable" | "unknown";

const words: Readonly<Record<Status, Word>> = {
  [Status.UNSPECIFIED]: "unknown",
  [Status.HEALTHY]: "healthy",
  [Status.UNHEALTHY]: "unhealthy",
  [Status.UNAVAILABLE]: "unavailable",
};

/** The gateway and every service with its instances, as discovery knows them; what is not routed, and what cannot be composed, and why. */
export function healthPage(options: HealthPageOptions): Record<string, unknown> {
  const { serving, version, fleet, routes } = options;
  const closed = closedBy(options);
  const refused = [...routes.refused].map(([service, { problem }]) => ({ service, problem }));
  return {
    status: serving ? "healthy" : "unhealthy",
    service: "gateway",
    version,
    discovery: discoveryOf(fleet),
    services: Object.fromEntries(namesOf(fleet, routes).map((name) => [name, serviceOf(name, fleet, routes)])),
    ...(refused.length > 0 && { refused }),
    ...(routes.aggregates.length > 0 && { aggregates: routes.aggregates.map(aggregateOf) }),
    ...(closed.length > 0 && { closed }),
  };
}

/** What is routed and yet answered to nobody, since nobody can be proven here. */
function closedBy({ provesCallers, routes }: HealthPageOptions) {
  if (provesCallers) return [];
  const services = [...routes.contracts.values()].map(({ service }) => service);
  return services
    .map((service) => ({ service: service.typeName, methods: closedMethods(service), problem: noKeysProblem }))
    .filter(({ methods }) => methods.length > 0);
}

function discoveryOf(fleet: Fleet): { readonly status: Word; readonly problem?: string } {
  if (fleet.kind === "live") return { status: "healthy" };
  if (fleet.kind === "pending") return { status: "unavailable", problem: "it has not answered yet" };
  return { status: "unavailable", problem: `${fleet.problem}; what follows is what it said last` };
}

/** Ready, or what is in its way; parts that can do without each other answer meanwhile. */
function aggregateOf({ aggregate: { path }, problems }: ResolvedAggregate) {
  return { path, ready: problems.length === 0, ...(problems.length > 0 && { problems }) };
}

/** Those there are, and those that are routed although nobody is left. */
function namesOf(fleet: Fleet, { contracts }: Routes): readonly string[] {
  const owners = [...contracts.values()].map(({ owner }) => owner);
  return [...new Set([...fleet.instances.map(({ name }) => name), ...owners])].sort();
}

function serviceOf(name: string, fleet: Fleet, { contracts }: Routes) {
  const instances = fleet.instances.filter((instance) => instance.name === name);
  const routed = [...contracts.values()].filter(({ owner }) => owner === name);
  return {
    status: bestOf(instances),
    routes: routed.map(({ service }) => service.typeName),
    instances: instances.map(instanceOf),
  };
}

/** As well as the best of them; nobody there is unavailable. */
function bestOf(instances: readonly Instance[]): Word {
  const order = [Status.HEALTHY, Status.UNSPECIFIED, Status.UNHEALTHY];
  const best = order.find((status) => instances.some((instance) => instance.status === status));
  return words[best ?? Status.UNAVAILABLE];
}

function instanceOf(instance: Instance) {
  const { id, version, zone, status, statusReason, lastCheckTime } = instance;
  return {
    id,
    address: endpointOf(instance).address,
    status: words[status] ?? "unknown",
    ...(statusReason && { reason: statusReason }),
    ...(version && { version }),
    ...(zone && { zone }),
    last_check: lastCheckTime ? timestampDate(lastCheckTime).toISOString() : null,
  };
}
