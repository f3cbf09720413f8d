import { expect, test } from "vitest";
import { Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { away, healthy, putHealthy, testInstance, testRegistration } from "../../test/suites/discovery-parts.ts";
import { type Change, Registry } from "./registry.ts";
import { bestStatus } from "./selection.ts";

const everything = { service: "", includeUnhealthy: true };
const handedOut = { service: "", includeUnhealthy: false };
const idsOf = (registry: Registry, selection = everything) =>
  registry.select(selection).map((entry) => entry.instance.id);

function listened(registry: Registry): Change[] {
  const changes: Change[] = [];
  registry.subscribe((change) => changes.push(change));
  return changes;
}

test("an instance is handed out after its first successful check and not before", () => {
  const registry = new Registry();
  const entry = registry.put(testRegistration(), 0);
  expect(entry.instance).toMatchObject({ status: Status.UNSPECIFIED, statusReason: "not checked yet" });
  expect(idsOf(registry, handedOut)).toEqual([]);
  registry.report(entry, healthy, 5_000);
  expect(idsOf(registry, handedOut)).toEqual(["user-1"]);
  expect(registry.get("user-1")?.instance.lastCheckTime).toMatchObject({ seconds: 5n });
});

test("every change raises the version by one and says which version it builds on", () => {
  const registry = new Registry({ version: 10n });
  const changes = listened(registry);
  const entry = registry.put(testRegistration(), 0);
  registry.report(entry, healthy, 0);
  registry.lapse("user-1", 0);
  registry.remove("user-1");
  expect(changes.map(({ previousVersion, version }) => [previousVersion, version])).toEqual([
    [10n, 11n],
    [11n, 12n],
    [12n, 13n],
    [13n, 14n],
  ]);
  expect(registry.version).toBe(14n);
});

test("a check that finds nothing new moves the time of the last check and nothing else", () => {
  const registry = new Registry();
  putHealthy(registry);
  const changes = listened(registry);
  const entry = registry.get("user-1");
  if (entry) registry.report(entry, healthy, 20_000);
  expect(changes).toEqual([]);
  expect(registry.get("user-1")?.instance.lastCheckTime).toMatchObject({ seconds: 20n });
});

test("the same status for another reason is news", () => {
  const registry = new Registry();
  const entry = registry.put(testRegistration(), 0);
  registry.report(entry, away, 0);
  const changes = listened(registry);
  registry.report(entry, { ...away, reason: "the host name is unknown" }, 0);
  expect(changes).toHaveLength(1);
});

test("a newer registration at an address removes the one that had it under another id, in the same step", () => {
  const registry = new Registry();
  putHealthy(registry, { id: "old" });
  const changes = listened(registry);
  registry.put(testRegistration({ id: "new" }), 0);
  expect(idsOf(registry)).toEqual(["new"]);
  expect(changes).toHaveLength(1);
  expect(changes[0]?.steps.map(({ before, after }) => [before?.instance.id, after?.instance.id])).toEqual([
    ["old", undefined],
    [undefined, "new"],
  ]);
});

test("another port of the same host is another place", () => {
  const registry = new Registry();
  putHealthy(registry, { id: "a", port: 8001 });
  putHealthy(registry, { id: "b", port: 8011 });
  expect(idsOf(registry)).toEqual(["a", "b"]);
});

test("the same registration again keeps its status, so that a client that came back is not missed", () => {
  const registry = new Registry();
  putHealthy(registry);
  const again = registry.put(testRegistration({ weight: 50 }), 9_000);
  expect(again.instance).toMatchObject({ status: Status.HEALTHY, weight: 50, registerTime: { seconds: 9n } });
});

test.each([
  ["address", { port: 8011 }],
  ["release", { version: "2" }],
  ["services", { services: ["shop.order.v1.OrderService"] }],
  ["check", { healthCheck: { probe: { case: "tcp" as const, value: {} } } }],
])("a registration with another %s has to be checked before it is handed out", (_, wanted) => {
  const registry = new Registry();
  putHealthy(registry);
  expect(registry.put(testRegistration(wanted), 0).instance.status).toBe(Status.UNSPECIFIED);
});

test("a check of an earlier registration says nothing about the one that replaced it", () => {
  const registry = new Registry();
  const first = registry.put(testRegistration(), 0);
  registry.put(testRegistration({ port: 8011 }), 0);
  registry.report(first, healthy, 0);
  expect(registry.get("user-1")?.instance.status).toBe(Status.UNSPECIFIED);
});

test("a lapsed instance is unavailable, says why, and has to be checked again when it registers again", () => {
  const registry = new Registry();
  putHealthy(registry);
  const entry = registry.get("user-1");
  registry.lapse("user-1", 1_000);
  expect(registry.get("user-1")).toMatchObject({ lapsedAt: 1_000, instance: { status: Status.UNAVAILABLE } });
  expect(registry.get("user-1")?.instance.statusReason).toMatch(/lease/);
  if (entry) registry.report(entry, healthy, 2_000);
  expect(registry.get("user-1")?.instance.status).toBe(Status.UNAVAILABLE);
  const again = registry.put(testRegistration(), 3_000);
  expect(again.instance.status).toBe(Status.UNSPECIFIED);
  expect(again.lapsedAt).toBeUndefined();
});

test("what is not there can be removed, lapse and be checked without a change", () => {
  const registry = new Registry();
  const entry = registry.put(testRegistration(), 0);
  registry.remove("user-1");
  const changes = listened(registry);
  registry.remove("user-1");
  registry.lapse("user-1", 0);
  registry.report(entry, healthy, 0);
  expect(changes).toEqual([]);
});

test("instances are found by name and by Protobuf service, ordered by name and id", () => {
  const registry = new Registry();
  putHealthy(registry, { id: "user-2", port: 2 });
  putHealthy(registry, { id: "order-1", name: "order", services: ["shop.order.v1.OrderService"], port: 3 });
  putHealthy(registry, { id: "user-1", port: 1 });
  expect(idsOf(registry)).toEqual(["order-1", "user-1", "user-2"]);
  expect(idsOf(registry, { ...handedOut, service: "user" })).toEqual(["user-1", "user-2"]);
  expect(idsOf(registry, { ...handedOut, service: "shop.order.v1.OrderService" })).toEqual(["order-1"]);
  expect(idsOf(registry, { ...handedOut, service: "OrderService" })).toEqual([]);
});

test("an instance that takes another name is found in its new place", () => {
  const registry = new Registry();
  putHealthy(registry, { id: "a", name: "m", port: 1 });
  putHealthy(registry, { id: "b", name: "n", port: 2 });
  expect(idsOf(registry)).toEqual(["a", "b"]);
  putHealthy(registry, { id: "a", name: "z", port: 1 });
  expect(idsOf(registry)).toEqual(["b", "a"]);
});

test("a registry that begins with entries shows them as they were", () => {
  const kept = { instance: { ...testInstance(), status: Status.HEALTHY }, term: "kept-alive" } as const;
  const registry = new Registry({ version: 7n, entries: [kept] });
  expect(idsOf(registry, handedOut)).toEqual(["user-1"]);
  expect(registry.version).toBe(7n);
});

test("a service fares as well as the best of its instances", () => {
  const registry = new Registry();
  const status = () => bestStatus(registry.all());
  const one = registry.put(testRegistration({ id: "1", port: 1 }), 0);
  expect(status()).toBe(Status.UNSPECIFIED);
  registry.report(one, away, 0);
  expect(status()).toBe(Status.UNAVAILABLE);
  registry.report(registry.put(testRegistration({ id: "2", port: 2 }), 0), { status: Status.UNHEALTHY, reason: "" }, 0);
  expect(status()).toBe(Status.UNHEALTHY);
  putHealthy(registry, { id: "3", port: 3 });
  expect(status()).toBe(Status.HEALTHY);
});

test("who has left is told nothing more", () => {
  const registry = new Registry();
  const changes: Change[] = [];
  const leave = registry.subscribe((change) => changes.push(change));
  leave();
  putHealthy(registry);
  expect(changes).toEqual([]);
  expect(registry.listeners).toBe(0);
});
