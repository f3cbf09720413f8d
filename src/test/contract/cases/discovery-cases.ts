import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { ConsulService } from "../../../../gen/heddle/discovery/v1/consul_pb.ts";
import { DiscoveryService, Lease } from "../../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { type Instance, Status } from "../../../../gen/heddle/discovery/v1/instance_pb.ts";
import { answers, type Case, fails } from "../case.ts";
import type { Shop } from "../shop.ts";

const { register, keepAlive, deregister, resolve, watch, listServices, getService } = DiscoveryService.method;
const { registerAgentService, deregisterAgentService, listServiceHealth } = ConsulService.method;

/** An instance at an address of its own; the page that its check asks for is one that answers, or none. */
export function replica(shop: Shop, { healthy = true } = {}) {
  const number = shop.next();
  const origin = healthy ? shop.origins.user : "http://127.0.0.1:1";
  const probe = { case: "http" as const, value: { url: `${origin}/health` } };
  return { id: `replica-${number}`, name: `name-${number}`, host: "127.0.0.1", port: number, healthCheck: { probe } };
}

interface InstanceWish {
  readonly healthy?: boolean;
  readonly lease?: Lease;
}

/** An instance there is, checked once. */
export async function anInstance(shop: Shop, { healthy = true, lease = Lease.UNSPECIFIED }: InstanceWish = {}) {
  const wanted = healthy ? Status.HEALTHY : Status.UNAVAILABLE;
  const { instance = expect.fail() } = await shop.discovery.register({ instance: replica(shop, { healthy }), lease });
  const statusNow = async () =>
    (await shop.discovery.resolve({ service: instance.name, includeUnhealthy: true })).instances[0]?.status;
  await expect.poll(statusNow, { interval: 20, timeout: 5_000 }).toBe(wanted);
  return instance;
}

const serviceOf = ({ name: service }: Instance) => ({ service });

/** heddle.discovery.v1.DiscoveryService. */
export const discoveryCases: readonly Case[] = [
  answers(register, "an instance, with its weight, status and time", {
    given: (shop) => ({ instance: replica(shop) }),
    check: ([{ instance, leaseTtl }], [asked]) => {
      const { id, name, port } = asked.instance ?? {};
      expect(instance).toMatchObject({ id, name, port, host: "127.0.0.1", weight: 100 });
      expect(instance?.registerTime).toBeDefined();
      expect(leaseTtl).toBeUndefined();
    },
  }),
  answers(register, "an instance without an id, which gets one", {
    given: (shop) => ({ instance: { ...replica(shop), id: "" } }),
    check: ([{ instance }], [asked]) =>
      expect(instance?.id).toMatch(new RegExp(`^${asked.instance?.name}-[0-9a-f]{8}$`)),
  }),
  fails(register, "neither a name nor an address", {
    given: () => ({ instance: { id: "no spaces please" } }),
    code: Code.InvalidArgument,
    fields: ["instance.id", "instance.name", "instance.name", "instance.host", "instance.host", "instance.port"],
  }),

  answers(keepAlive, "known leases and unknown ones, each told in turn", {
    given: async (shop) => {
      const { id } = await anInstance(shop, { lease: Lease.KEPT_ALIVE });
      return [{ id }, { id: "nobody" }, { id }];
    },
    check: (told, [{ id }]) =>
      expect(told).toMatchObject([
        { id, known: true, leaseTtl: { seconds: 15n } },
        { id: "nobody", known: false },
        { id, known: true },
      ]),
  }),
  fails(keepAlive, "a lease without an id", {
    given: () => [{ id: "" }],
    code: Code.InvalidArgument,
    fields: ["id"],
  }),

  answers(deregister, "an instance by id and name", {
    given: async (shop) => {
      const { id, name } = await anInstance(shop);
      return { id, name };
    },
    check: ([answer]) => expect(answer.$typeName).toBe("heddle.discovery.v1.DeregisterResponse"),
  }),
  answers(deregister, "one that is gone already", {
    given: () => ({ id: "gone", name: "gone" }),
    check: ([answer]) => expect(answer.$typeName).toBe("heddle.discovery.v1.DeregisterResponse"),
  }),
  fails(deregister, "a name that is another's", {
    given: async (shop) => ({ id: (await anInstance(shop)).id, name: "other" }),
    code: Code.InvalidArgument,
    fields: ["name"],
  }),

  answers(resolve, "the healthy ones of a name", {
    given: async (shop) => serviceOf(await anInstance(shop)),
    check: ([{ instances, version }], [{ service }]) => {
      expect(instances).toMatchObject([{ name: service, status: Status.HEALTHY }]);
      expect(version).toBeGreaterThan(0n);
    },
  }),
  answers(resolve, "nobody, where nobody is healthy", {
    given: async (shop) => serviceOf(await anInstance(shop, { healthy: false })),
    check: ([{ instances }]) => expect(instances).toEqual([]),
  }),
  answers(resolve, "those that are not healthy too, if asked", {
    given: async (shop) => ({ ...serviceOf(await anInstance(shop, { healthy: false })), includeUnhealthy: true }),
    check: ([
      {
        instances: [instance],
      },
    ]) => {
      expect(instance).toMatchObject({ status: Status.UNAVAILABLE, statusReason: expect.stringMatching(/./) });
      expect(instance?.lastCheckTime).toBeDefined();
    },
  }),
  fails(resolve, "a name that is too long", {
    given: () => ({ service: "x".repeat(201) }),
    code: Code.InvalidArgument,
    fields: ["service"],
  }),

  answers(watch, "a snapshot first", {
    given: async (shop) => serviceOf(await anInstance(shop)),
    take: 1,
    check: ([{ event, version }], [{ service }]) => {
      expect(event).toMatchObject({ case: "snapshot", value: { instances: [{ name: service }] } });
      expect(version).toBeGreaterThan(0n);
    },
  }),
  fails(watch, "a name that is too long", {
    given: () => ({ service: "x".repeat(201) }),
    code: Code.InvalidArgument,
    fields: ["service"],
  }),

  answers(listServices, "a page, and a token for the next one", {
    given: async (shop) => {
      await anInstance(shop);
      await anInstance(shop);
      return { pageSize: 1 };
    },
    check: ([{ services, nextPageToken }]) => {
      expect(services).toHaveLength(1);
      expect(services[0]?.instances[0]?.name).toBe(services[0]?.name);
      expect(nextPageToken).not.toBe("");
    },
  }),
  fails(listServices, "a page token of somebody else's making", {
    given: () => ({ pageToken: "garbage" }),
    code: Code.InvalidArgument,
    fields: ["page_token"],
  }),

  answers(getService, "one with its instances, whatever their status", {
    given: async (shop) => ({ name: (await anInstance(shop, { healthy: false })).name }),
    check: ([{ service }], [{ name }]) =>
      expect(service).toMatchObject({ name, status: Status.UNAVAILABLE, instances: [{ name }] }),
  }),
  fails(getService, "one that nobody serves", {
    given: () => ({ name: "nobody" }),
    code: Code.NotFound,
    reason: "SERVICE_NOT_FOUND",
  }),
];

/** A registration as Consul's clients send it. */
function agent(shop: Shop) {
  const { id, name, host: address, port } = replica(shop);
  return {
    id,
    name,
    address,
    port,
    tags: ["v1"],
    meta: { team: "loom" },
    check: { http: `${shop.origins.user}/health` },
  };
}

/** heddle.discovery.v1.ConsulService. */
export const consulCases: readonly Case[] = [
  answers(registerAgentService, "an instance with its check", {
    given: agent,
    check: ([answer]) => expect(answer.$typeName).toBe("heddle.discovery.v1.RegisterAgentServiceResponse"),
  }),
  fails(registerAgentService, "neither name nor port", {
    given: () => ({}),
    code: Code.InvalidArgument,
    fields: ["name", "port"],
  }),
  fails(registerAgentService, "a check of no URL", {
    given: (shop) => ({ ...agent(shop), check: { http: "nowhere" } }),
    code: Code.InvalidArgument,
    fields: ["Check.HTTP"],
  }),

  answers(deregisterAgentService, "an instance", {
    given: async (shop) => ({ serviceId: (await anInstance(shop)).id }),
    check: ([answer]) => expect(answer.$typeName).toBe("heddle.discovery.v1.DeregisterAgentServiceResponse"),
  }),
  fails(deregisterAgentService, "an id that is too long", {
    given: () => ({ serviceId: "x".repeat(129) }),
    code: Code.InvalidArgument,
    fields: ["service_id"],
  }),

  answers(listServiceHealth, "those that pass", {
    given: async (shop) => ({ ...serviceOf(await anInstance(shop)), passing: true }),
    check: ([{ entries }], [{ service }]) =>
      expect(entries).toMatchObject([{ service: { service, address: "127.0.0.1" }, checks: [{ status: "passing" }] }]),
  }),
  answers(listServiceHealth, "those that do not, unless told otherwise", {
    given: async (shop) => serviceOf(await anInstance(shop, { healthy: false })),
    check: ([{ entries }]) => expect(entries).toMatchObject([{ checks: [{ status: "critical" }] }]),
  }),
  fails(listServiceHealth, "a name that is too long", {
    given: () => ({ service: "x".repeat(201) }),
    code: Code.InvalidArgument,
    fields: ["service"],
  }),
];
