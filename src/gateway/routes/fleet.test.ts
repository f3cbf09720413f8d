import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import {
  DiscoveryService,
  type WatchResponse,
  WatchResponseSchema,
} from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { silentLogger } from "../../base/log.ts";
import { testInstance } from "../../test/suites/discovery-parts.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { FleetWatch } from "./fleet.ts";
import { fileFleetCache, noFleetCache } from "./fleet-cache.ts";

type Step = MessageInitShape<typeof WatchResponseSchema> | "fail" | "end";

const [a, b] = [testInstance({ id: "a" }), testInstance({ id: "b", name: "order" })];

/** Discovery that tells each watcher what the next script says, then keeps silent. */
function openFleet(scripts: readonly (readonly Step[])[], cache = noFleetCache) {
  const clock = fakeClock();
  let watches = 0;
  const transport = createRouterTransport((router) =>
    router.service(DiscoveryService, {
      async *watch(_, { signal }): AsyncGenerator<WatchResponse> {
        for (const step of scripts[watches++] ?? []) {
          if (step === "end") return;
          if (step === "fail") throw new ConnectError("nobody there", Code.Unavailable);
          yield create(WatchResponseSchema, step);
        }
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    }),
  );
  const discovery = createClient(DiscoveryService, transport);
  const watch = new FleetWatch({ discovery, cache, clock, random: () => 0.5, log: silentLogger });
  return {
    clock,
    watched: () => watches,
    told: () => [watch.fleet.value.kind, watch.fleet.value.instances.map(({ id }) => id)],
    fleet: watch.fleet,
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  };
}

const snapshot = (version: bigint, ...instances: (typeof a)[]): Step => ({
  version,
  event: { case: "snapshot", value: { instances } },
});

test("the fleet is what a snapshot and the deltas after it say", async () => {
  const removed: Step = { version: 3n, event: { case: "delta", value: { previousVersion: 2n, removedIds: ["a"] } } };
  const added: Step = { version: 2n, event: { case: "delta", value: { previousVersion: 1n, changed: [b] } } };
  await using view = openFleet([[snapshot(1n, a), added, removed]]);
  expect(view.told()).toEqual(["pending", []]);
  await view.fleet.until(({ instances }) => instances.length === 2);
  await view.fleet.until(({ instances }) => instances.length === 1);
  expect(view.told()).toEqual(["live", ["b"]]);
});

test("while discovery is away the fleet is what it said last, and it is asked again, ever more rarely", async () => {
  await using view = openFleet([[snapshot(1n, a), "fail"], ["fail"], ["fail"], [snapshot(7n, a, b)]]);
  await view.fleet.until(({ kind }) => kind === "last-known");
  expect(view.told()).toEqual(["last-known", ["a"]]);
  expect(view.fleet.value).toMatchObject({ problem: expect.stringContaining("nobody there") });
  for (let turn = 0; turn < 3; turn++) await view.clock.advance(2_000);
  await view.fleet.until(({ kind }) => kind === "live");
  expect(view.told()).toEqual(["live", ["b", "a"]]);
  expect(view.clock.sleeps).toEqual([50, 50, 100]);
});

test("a gap between deltas, or a silence of 15 s, begins the watch anew", async () => {
  const gap: Step = { version: 9n, event: { case: "delta", value: { previousVersion: 8n, changed: [b] } } };
  await using view = openFleet([[snapshot(1n, a), gap], [snapshot(9n, a, b)], [snapshot(10n, b)]]);
  await view.fleet.until(({ kind }) => kind === "live");
  await view.clock.advance(100);
  await view.fleet.until(({ instances }) => instances.length === 2);
  expect(view.watched()).toBe(2);
  await view.clock.advance(15_000);
  await view.clock.advance(100);
  await view.fleet.until(({ kind, instances }) => kind === "live" && instances.length === 1);
  expect(view.told()).toEqual(["live", ["b"]]);
});

test("a gateway that starts while discovery is away knows what the one before it was told", async () => {
  await using folder = await openDatabase();
  const cache = fileFleetCache(folder.dataDir, silentLogger);
  await using before = openFleet([[snapshot(1n, a, b)]], cache);
  await before.fleet.until(({ kind }) => kind === "live");
  await cache.recall(); // what is being written is written

  await using after = openFleet([["fail"]], fileFleetCache(folder.dataDir, silentLogger));
  await after.fleet.until(({ kind }) => kind === "last-known");
  expect(after.fleet.value.instances).toEqual(before.fleet.value.instances);

  await using elsewhere = openFleet([["fail"]], fileFleetCache(`${folder.dataDir}/nowhere`, silentLogger));
  await elsewhere.fleet.until(({ kind }) => kind === "last-known");
  expect(elsewhere.told()).toEqual(["last-known", []]);
});
