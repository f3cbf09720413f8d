import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFailed, test } from "vitest";
import { eventually } from "../../testing/eventually.ts";
import { type Cluster, openCluster } from "../../testing/open-cluster.ts";
import { callSteadily } from "./load.ts";
import { restOk } from "./rest.ts";
import { allOrderIds, openShop } from "./shop.ts";

const envOf = { catalog: { SEED: "true" } };
const items = [{ sku: "ABC", qty: 2 }];
const clean = { code: 0, signal: null };

/** How the shop is called: over the mesh, or over the gateway. */
interface Caller {
  /** Creates an order once and answers with its id. */
  create(requestId: string): Promise<string>;
  read(id: string): Promise<unknown>;
}

/** Ends each order replica with SIGTERM and starts it again at its port, one after the other. */
async function roll(cluster: Cluster): Promise<unknown[]> {
  const exits: unknown[] = [];
  for (const replica of [cluster.replica("order", 0), cluster.replica("order", 1)]) {
    exits.push(await replica.terminate());
    await replica.start();
    await sleep(200); // some calls with both, as in a real roll-out
  }
  return exits;
}

/** Rolls both under reads and writes; answers with the ids that were acknowledged. */
async function rollUnderLoad(cluster: Cluster, caller: Caller): Promise<string[]> {
  const acknowledged = [await caller.create("the first")];
  const writes = callSteadily(4, async (turn) => acknowledged.push(await caller.create(`rolling-${turn}`)));
  const reads = callSteadily(4, () => caller.read(acknowledged.at(-1) ?? ""));
  const exits = await roll(cluster);
  const [written, read] = await Promise.all([writes.end(), reads.end()]);
  process.stdout.write(`${read.calls} reads, ${written.calls} writes, ${acknowledged.length} orders\n`);
  expect({ ...written.failures, ...read.failures }).toEqual({});
  expect(exits).toEqual([clean, clean]);
  expect(new Set(acknowledged).size).toBe(written.calls + 1);
  return acknowledged;
}

test("both order replicas are rolled under reads and writes: no call fails, each order is there once", async () => {
  const replicas = { user: 1, catalog: 1, order: 2 };
  await using cluster = await openCluster({ replicas, envOf, onFailure: onTestFailed });
  await using mesh = await cluster.openMesh();
  const shop = await openShop(mesh);
  const { orders, userId } = shop;
  const acknowledged = await rollUnderLoad(cluster, {
    create: async (requestId) => (await orders.createOrder({ userId, items, requestId })).order?.id ?? "",
    read: (id) => orders.getOrder({ id }),
  });
  expect((await allOrderIds(shop)).sort()).toEqual(acknowledged.sort());
});

test("the same over the gateway's REST", async () => {
  const replicas = { user: 1, catalog: 1, order: 2, gateway: 1 };
  await using cluster = await openCluster({ replicas, envOf, onFailure: onTestFailed });
  await using mesh = await cluster.openMesh();
  const shop = await openShop(mesh);
  const { address } = cluster.replica("gateway");
  await eventually("the gateway knows the orders", () => restOk(address, "/v1/orders"));
  const acknowledged = await rollUnderLoad(cluster, {
    create: async (requestId) =>
      String((await restOk(address, "/v1/orders", { userId: String(shop.userId), items, requestId })).id),
    read: (id) => restOk(address, `/v1/orders/${id}`),
  });
  expect((await allOrderIds(shop)).sort()).toEqual(acknowledged.sort());
});
