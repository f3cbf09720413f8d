import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFailed, test } from "vitest";
import { eventually } from "../../testing/eventually.ts";
import { openCluster } from "../../testing/open-cluster.ts";
import { inspected, openHeap } from "./heap.ts";
import { callSteadily } from "./load.ts";
import { restOk } from "./rest.ts";

/** GETs that are under way at once, a connection each. */
const connections = 64;

/** What each of them rests between two: a thousand GETs a second, which two CPUs shared by all there is can carry. */
const restMs = 60;

/** When what happens, in milliseconds: all that is made once is there by the first look at the heap. */
const [firstLookMs, killMs, restartMs, endMs] = [10_000, 12_000, 18_000, 30_000];

/** MiB by which the heap may have grown: a request that left a hundred bytes behind would be above it. */
const noiseMib = 5;

test("half a minute of GETs at 64 connections, one of two replicas killed and started again: none fails, and memory is flat", async () => {
  await using cluster = await openCluster({
    replicas: { user: 2, gateway: 1 },
    envOf: { gateway: inspected },
    onFailure: onTestFailed,
  });
  const { address } = cluster.replica("gateway");
  const ada = { name: "Ada", email: "ada@example.com" };
  const user = await eventually("the gateway knows the users", () => restOk(address, "/v1/users", ada));
  using heap = await openHeap(cluster.replica("gateway"));
  const victim = cluster.replica("user", 1);
  const load = callSteadily(connections, () => restOk(address, `/v1/users/${user.id}`), restMs);
  await sleep(firstLookMs);
  const before = await heap.mib();
  await sleep(killMs - firstLookMs);
  await victim.kill();
  await sleep(restartMs - killMs);
  await victim.start();
  await sleep(endMs - restartMs);
  const report = await load.end();
  const after = await heap.mib();
  process.stdout.write(`${report.calls} GETs; heap ${before.toFixed(1)} MiB, then ${after.toFixed(1)} MiB\n`);
  expect(report.failures).toEqual({});
  expect(report.calls).toBeGreaterThan(connections * 50); // it was a load
  expect(after - before).toBeLessThan(noiseMib);
});
