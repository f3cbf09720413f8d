import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterAll, describe, expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "../../../gen/grpc/health/v1/health_pb.ts";
import { DiscoveryService, Lease } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { OrderService, OrderStatus } from "../../../gen/shop/order/v1/order_pb.ts";
import { Watchable } from "../../base/watch.ts";
import { openServer } from "../../server/serve.ts";
import { replica } from "./cases/discovery-cases.ts";
import { anOrder } from "./cases/order-cases.ts";
import { openShop } from "./shop.ts";

const shop = await openShop();
afterAll(() => shop[Symbol.asyncDispose]());

const protocols: readonly (readonly [string, (baseUrl: string) => Transport])[] = [
  ["gRPC", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC-Web", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
  ["Connect", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" })],
  ["Connect JSON", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false })],
];

describe.each(protocols)("over %s", (_, open) => {
  test("an order followed is pending, then cancelled, and then there is no more", async () => {
    const orders = createClient(OrderService, open(shop.origins.order));
    const { id } = await anOrder(shop);
    const told: (OrderStatus | undefined)[] = [];
    for await (const { order } of orders.watchOrder({ id })) {
      told.push(order?.status);
      if (told.length === 1) await shop.orders.cancelOrder({ id });
    }
    expect(told).toEqual([OrderStatus.PENDING, OrderStatus.CANCELLED]);
  });

  test("a watch sees a snapshot, then what comes and what goes, each step building on the one before", async () => {
    const discovery = createClient(DiscoveryService, open(shop.origins.discovery));
    const instance = replica(shop);
    const leave = new AbortController();
    const told = discovery.watch({ service: instance.name }, { signal: leave.signal })[Symbol.asyncIterator]();
    const step = async () => (await told.next()).value ?? expect.fail("the watch ended");
    const snapshot = await step();
    expect(snapshot.event).toMatchObject({ case: "snapshot", value: { instances: [] } });
    await shop.discovery.register({ instance });
    const came = await step();
    expect(came.event).toMatchObject({ case: "delta", value: { changed: [{ id: instance.id }], removedIds: [] } });
    expect(came.event.value).toMatchObject({ previousVersion: snapshot.version });
    await shop.discovery.deregister({ id: instance.id });
    const went = await step();
    expect(went.event).toMatchObject({ case: "delta", value: { changed: [], removedIds: [instance.id] } });
    expect(went.event.value).toMatchObject({ previousVersion: came.version });
    leave.abort();
  });

  test("whoever watches health hears of the drain before the stream ends", async () => {
    await using server = await openServer({ services: [] });
    const health = createClient(Health, open(`http://${server.host}:${server.port}`));
    const told: Serving[] = [];
    try {
      for await (const { status } of health.watch({})) {
        told.push(status);
        if (told.length === 1) server.health.serving.set(false);
        else break;
      }
    } finally {
      expect(told).toEqual([Serving.SERVING, Serving.NOT_SERVING]);
    }
  });
});

test.each(protocols.filter(([name]) => ["gRPC", "Connect"].includes(name)))(
  "over %s a lease is kept by a talk: each renewal is answered while the next is not yet sent",
  async (_, open) => {
    const discovery = createClient(DiscoveryService, open(shop.origins.discovery));
    const instance = replica(shop);
    const talk = openTalk(discovery);
    expect(await talk.renew(instance.id)).toMatchObject({ id: instance.id, known: false });
    await shop.discovery.register({ instance, lease: Lease.KEPT_ALIVE });
    expect(await talk.renew(instance.id)).toMatchObject({ known: true, leaseTtl: { seconds: 15n } });
    expect(await talk.end()).toBe(true);
  },
);

test("REST follows an order line by line, in its own words under /api", async () => {
  const { id } = await anOrder(shop);
  const { body } = await fetch(`${shop.origins.order}/api/orders/${id}:watch`);
  const lines: string[] = [];
  for await (const chunk of body ?? []) {
    lines.push(...Buffer.from(chunk).toString().split("\n").slice(0, -1));
    if (lines.length === 1) await shop.orders.cancelOrder({ id });
  }
  expect(lines.map((line) => (JSON.parse(line) as { order: { status: string } }).order.status)).toEqual([
    "pending",
    "cancelled",
  ]);
});

/** A keep-alive stream that is spoken on one renewal at a time. */
function openTalk(discovery: Client<typeof DiscoveryService>) {
  const said = new Watchable<readonly (string | undefined)[]>([]);
  async function* requests() {
    for (let at = 0; ; at++) {
      const [id] = (await said.until((ids) => ids.length > at)).slice(at);
      if (id === undefined) return;
      yield { id };
    }
  }
  const answers = discovery.keepAlive(requests())[Symbol.asyncIterator]();
  return {
    async renew(id: string) {
      said.set([...said.value, id]);
      return (await answers.next()).value;
    },
    /** Whether the other side ends when this one does. */
    async end() {
      said.set([...said.value, undefined]);
      return (await answers.next()).done;
    },
  };
}
