import { DatabaseSync } from "node:sqlite";
import { Code } from "@connectrpc/connect";
import { expect, onTestFailed, test } from "vitest";
import { OrderStatus } from "../../../gen/shop/order/v1/order_pb.ts";
import { eventually } from "../../testing/eventually.ts";
import { openCluster } from "../../testing/open-cluster.ts";
import type { Replica } from "../../testing/replica.ts";
import { allOrderIds, openShop, type Shop } from "./shop.ts";

const replicas = { user: 1, catalog: 1, order: 2 };
const envOf = { catalog: { SEED: "true" } };
const items = [{ sku: "ABC", qty: 2 }];
const clean = { code: 0, signal: null };

/** Keeps everybody from writing to a SQLite file until it is closed: calls that write take as long as a test likes. */
function holdWrites(file: string): Disposable {
  const db = new DatabaseSync(file);
  db.exec("begin immediate");
  return { [Symbol.dispose]: () => db.close() };
}

/** How many calls a replica is answering, by its metrics. */
async function inFlight({ adminAddress }: Replica): Promise<number> {
  const page = await (await fetch(`http://${adminAddress}/metrics`)).text();
  return Number(/^heddle_server_calls_in_flight\S* (\d+)$/m.exec(page)?.[1] ?? 0);
}

test("a replica told to stop finishes its 10 calls, refuses the others, and ends with status 0", async () => {
  await using cluster = await openCluster({ replicas, envOf, onFailure: onTestFailed });
  await using mesh = await cluster.openMesh();
  const shop = await openShop(mesh);
  const { orders, userId } = shop;
  const stopping = cluster.replica("order");
  const calls: Promise<unknown>[] = [];
  const send = (count: number) => {
    for (let sent = 0; sent < count; sent++) calls.push(orders.createOrder({ userId, items }, { timeoutMs: 20_000 }));
  };
  let ended: Promise<unknown>;
  {
    using _held = holdWrites(`${cluster.dataDir}/order.db`);
    send(20);
    await eventually("the replica has its share of the calls", async () => (await inFlight(stopping)) >= 10);
    ended = stopping.terminate();
    await eventually("it drains", async () => stopping.output.includes('"stopping"'));
    send(10); // while it drains: whoever still sends there is refused, and asks the other
  }
  const answers = await Promise.allSettled(calls);
  expect(answers.flatMap((answer) => (answer.status === "rejected" ? [String(answer.reason)] : []))).toEqual([]);
  expect(await ended).toEqual(clean);
  expect(stopping.output).not.toContain("cut off");
  expect(await allOrderIds(shop)).toHaveLength(30);
});

test("a stream that follows an order ends with UNAVAILABLE, and goes on at the other replica", async () => {
  await using cluster = await openCluster({ replicas, envOf, onFailure: onTestFailed });
  await using mesh = await cluster.openMesh({ balance: "round-robin" });
  const shop = await openShop(mesh);
  const { order } = await shop.orders.createOrder({ userId: shop.userId, items });
  const id = order?.id ?? "";
  await eventually("the order is confirmed", async () => {
    const read = await shop.orders.getOrder({ id });
    return read.order?.status === OrderStatus.CONFIRMED;
  });
  // The replicas take turns: one stream each.
  const streams = [await follow(shop, id), await follow(shop, id)];
  const end = Promise.race(streams.map((stream) => stream.next()));
  end.catch(() => {}); // awaited below
  expect(await cluster.replica("order").terminate()).toEqual(clean);
  await expect(end).rejects.toMatchObject({ code: Code.Unavailable });

  const again = await follow(shop, id);
  await shop.orders.cancelOrder({ id, reason: "no more" });
  expect((await again.next()).value?.order?.cancelReason).toBe("no more");
});

/** Follows an order; resolves when its first message is there. */
async function follow({ orders }: Shop, id: string) {
  const stream = orders.watchOrder({ id })[Symbol.asyncIterator]();
  expect((await stream.next()).value?.order?.id).toBe(id);
  return stream;
}
