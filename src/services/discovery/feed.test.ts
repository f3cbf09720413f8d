import { expect, test } from "vitest";
import type { WatchResponse } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { away, putHealthy, testRegistration } from "../../test/suites/discovery-parts.ts";
import { Feed } from "./feed.ts";
import { Registry } from "./registry.ts";

function follow(registry: Registry, { service = "", includeUnhealthy = false, maxDeltas = 64 } = {}): Feed {
  const feed = new Feed({ registry, selection: { service, includeUnhealthy }, maxDeltas });
  registry.subscribe((change) => void feed.offer(change));
  return feed;
}

/** A response in short: its version, then what it tells. */
function short(response: WatchResponse | undefined) {
  switch (response?.event.case) {
    case "snapshot":
      return [response.version, "snapshot", response.event.value.instances.map(({ id }) => id)];
    case "delta": {
      const { previousVersion, changed, removedIds } = response.event.value;
      return [response.version, "delta on", previousVersion, changed.map(({ id }) => id), removedIds];
    }
    default:
      return response && [response.version, response.event.case];
  }
}

test("a feed begins with a snapshot, goes on with what changed, and then has nothing", () => {
  const registry = new Registry();
  putHealthy(registry, { id: "a", port: 1 });
  const feed = follow(registry);
  expect(short(feed.take())).toEqual([2n, "snapshot", ["a"]]);
  putHealthy(registry, { id: "b", port: 2 });
  expect(short(feed.take())).toEqual([4n, "delta on", 2n, ["b"], []]);
  expect(feed.take()).toBeUndefined();
});

test("what happens before the snapshot is read is in the snapshot, and only there", () => {
  const registry = new Registry();
  const feed = follow(registry);
  putHealthy(registry, { id: "a" });
  expect(short(feed.take())).toEqual([2n, "snapshot", ["a"]]);
  expect(feed.take()).toBeUndefined();
});

test("each delta builds on the last thing told, however many changes of others lie between", () => {
  const registry = new Registry();
  const feed = follow(registry, { service: "user" });
  feed.take();
  putHealthy(registry, { id: "o", name: "order", services: [], port: 9 });
  putHealthy(registry, { id: "a", port: 1 });
  putHealthy(registry, { id: "p", name: "order", services: [], port: 10 });
  registry.remove("a");
  expect(short(feed.take())).toEqual([4n, "delta on", 0n, ["a"], []]);
  expect(short(feed.take())).toEqual([7n, "delta on", 4n, [], ["a"]]);
});

test("a heartbeat tells the present version, and the next delta builds on it", () => {
  const registry = new Registry();
  const feed = follow(registry, { service: "user" });
  feed.take();
  putHealthy(registry, { id: "o", name: "order", services: [] });
  expect(short(feed.heartbeat())).toEqual([2n, "heartbeat"]);
  putHealthy(registry, { id: "a", port: 1 });
  expect(short(feed.take())).toEqual([4n, "delta on", 2n, ["a"], []]);
});

test("where only healthy ones are asked for, one that is not well any more is removed", () => {
  const registry = new Registry();
  putHealthy(registry);
  const [healthyOnly, everyStatus] = [follow(registry), follow(registry, { includeUnhealthy: true })];
  healthyOnly.take();
  everyStatus.take();
  const entry = registry.get("user-1");
  if (entry) registry.report(entry, away, 0);
  expect(short(healthyOnly.take())).toEqual([3n, "delta on", 2n, [], ["user-1"]]);
  expect(short(everyStatus.take())).toEqual([3n, "delta on", 2n, ["user-1"], []]);
});

test("one that takes another name is removed where the old one is followed and changed where the new one is", () => {
  const registry = new Registry();
  const selected = (service: string) => follow(registry, { service, includeUnhealthy: true });
  const [old, other] = [selected("user"), selected("people")];
  registry.put(testRegistration(), 0);
  old.take();
  other.take();
  registry.put(testRegistration({ name: "people" }), 0);
  expect(short(old.take())).toEqual([2n, "delta on", 1n, [], ["user-1"]]);
  expect(short(other.take())).toEqual([2n, "delta on", 1n, ["user-1"], []]);
});

test("a successor at the same address comes and its ghost goes in one delta", () => {
  const registry = new Registry();
  const feed = follow(registry, { includeUnhealthy: true });
  registry.put(testRegistration({ id: "old" }), 0);
  feed.take();
  registry.put(testRegistration({ id: "new" }), 0);
  expect(short(feed.take())).toEqual([2n, "delta on", 1n, ["new"], ["old"]]);
});

test("a reader that falls too far behind is told everything afresh, and deltas from there", () => {
  const registry = new Registry();
  const feed = follow(registry, { maxDeltas: 3 });
  feed.take();
  for (const id of ["a", "b", "c", "d", "e"]) putHealthy(registry, { id, port: id.charCodeAt(0) });
  expect(short(feed.take())).toEqual([10n, "snapshot", ["a", "b", "c", "d", "e"]]);
  expect(feed.take()).toBeUndefined();
  registry.remove("c");
  expect(short(feed.take())).toEqual([11n, "delta on", 10n, [], ["c"]]);
});

test("applying snapshot and deltas in order always ends at what the registry says", () => {
  const registry = new Registry();
  const feed = follow(registry, { maxDeltas: 4 });
  const known = new Set<string>();
  let version = 0n;
  for (let step = 0; step < 500; step++) {
    const id = `i${(step * 7) % 11}`;
    if (step % 3 === 0) registry.remove(id);
    else putHealthy(registry, { id, port: 1 + ((step * 5) % 13) });
    if (step % 4 !== 3 && step % 50 < 40) continue; // reads now and then, sometimes much too late
    for (let next = feed.take(); next !== undefined; next = feed.take()) {
      if (next.event.case === "snapshot") {
        known.clear();
        for (const instance of next.event.value.instances) known.add(instance.id);
      } else if (next.event.case === "delta") {
        expect(next.event.value.previousVersion).toBe(version);
        for (const gone of next.event.value.removedIds) known.delete(gone);
        for (const instance of next.event.value.changed) known.add(instance.id);
      }
      version = next.version;
    }
    const now = registry.select({ service: "", includeUnhealthy: false }).map((entry) => entry.instance.id);
    expect([...known].sort()).toEqual([...now].sort());
  }
});
