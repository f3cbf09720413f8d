import { connect, createServer } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { errorReason } from "../../call/errors.ts";
import { openPair } from "../../testing/open-pair.ts";
import type { ServedCall } from "../hooks.ts";
import { LocalBuckets } from "../policy/local-buckets.ts";

/** An order service that keeps its rate limits itself: CancelOrder, 20 a second, 40 at once. Its time stands still. */
async function openOrders({ isLimited = true } = {}) {
  const now = { ms: Date.UTC(2026, 0, 1) };
  const ended: ServedCall[] = [];
  const asked: string[] = [];
  const pair = await openPair({
    services: [
      [
        OrderService,
        {
          cancelOrder({ id }) {
            asked.push(id);
            return { order: { id } };
          },
          getOrder: ({ id }) => ({ order: { id } }),
        },
      ],
    ],
    authenticate: async ({ requestHeader }) => {
      const token = requestHeader.get("authorization");
      const [subject = "", iss] = token?.split(" of ") ?? [];
      return token === null ? undefined : { subject, scopes: new Set<string>(), claims: { iss } };
    },
    hooks: { callEnded: (call) => ended.push(call) },
    ...(isLimited && { rateLimits: new LocalBuckets({ now: () => now.ms }) }),
  });
  const orders = pair.client(OrderService);
  /** How many of so many calls got through. */
  const cancel = async (count: number, headers: HeadersInit = {}) => {
    const calls = Array.from({ length: count }, () => orders.cancelOrder({ id: "o" }, { headers }));
    return (await Promise.allSettled(calls)).filter(({ status }) => status === "fulfilled").length;
  };
  return { ...pair, orders, cancel, now, ended, asked };
}

test("a caller gets its burst at once, however many calls it makes together, and its rate after that", async () => {
  await using shop = await openOrders();
  expect(await shop.cancel(100)).toBe(40);
  expect(shop.asked).toHaveLength(40);
  shop.now.ms += 1_000;
  expect(await shop.cancel(100)).toBe(20);
  shop.now.ms += 60_000;
  expect(await shop.cancel(100)).toBe(40);
});

test("a refused call says which limit it met and when to ask again, in every way that clients look for it", async () => {
  await using shop = await openOrders();
  await shop.cancel(40);
  const refused = await shop.orders.cancelOrder({ id: "o" }).then(() => undefined, ConnectError.from);
  expect(refused?.code).toBe(Code.ResourceExhausted);
  expect(refused?.rawMessage).toBe(
    "your address may call shop.order.v1.OrderService/CancelOrder 20 times in 1s, 40 at once: ask again in 50 ms",
  );
  expect(refused && errorReason(refused)).toMatchObject({
    reason: "RATE_LIMITED",
    domain: "heddle",
    metadata: { method: "shop.order.v1.OrderService/CancelOrder", calls: "20", period: "1s", burst: "40" },
  });
  expect(refused?.findDetails(RetryInfoSchema)[0]?.retryDelay).toMatchObject({ seconds: 0n, nanos: 50_000_000 });
  const url = `${shop.origin}/v1/orders/o:cancel`;
  const rest = await fetch(url, { method: "POST" });
  expect([rest.status, rest.headers.get("retry-after")]).toEqual([429, "1"]);
  expect(await rest.json()).toMatchObject({ code: 8, details: [{ reason: "RATE_LIMITED" }, { retryDelay: "0.050s" }] });
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: '{"id":"o"}' };
  const connect = await fetch(`${shop.origin}/shop.order.v1.OrderService/CancelOrder`, init);
  expect([connect.status, connect.headers.get("retry-after")]).toEqual([429, "1"]);
  expect(await connect.json()).toMatchObject({ code: "resource_exhausted" });
});

test("answers tell what is left, whoever asks; those of methods without a limit tell nothing", async () => {
  await using shop = await openOrders();
  await shop.cancel(38);
  const url = `${shop.origin}/v1/orders/o`;
  const told = [];
  for (let i = 0; i < 3; i++) {
    const { status, headers } = await fetch(`${url}:cancel`, { method: "POST" });
    told.push([status, headers.get("ratelimit-policy"), headers.get("ratelimit")]);
  }
  expect(told).toEqual([
    [200, '"CancelOrder";q=40;w=2', '"CancelOrder";r=1;t=2'],
    [200, '"CancelOrder";q=40;w=2', '"CancelOrder";r=0;t=2'],
    [429, '"CancelOrder";q=40;w=2', '"CancelOrder";r=0;t=1'],
  ]);
  expect((await fetch(url)).headers.has("ratelimit")).toBe(false);
  const header: string[] = [];
  shop.now.ms += 1_000;
  await shop.orders.cancelOrder({ id: "o" }, { onHeader: (all) => header.push(all.get("ratelimit") ?? "") });
  expect(header).toEqual(['"CancelOrder";r=19;t=2']);
});

test("who is proven has a bucket of its own wherever it calls from, and who is not has that of its address", async () => {
  await using shop = await openOrders();
  expect(await shop.cancel(50, { authorization: "ann" })).toBe(40);
  expect(await shop.cancel(50, { authorization: "bob" })).toBe(40);
  expect(await shop.cancel(50, { authorization: "ann of elsewhere" })).toBe(40);
  expect(await shop.cancel(50)).toBe(40);
  const overIpv4 = { method: "POST", headers: { authorization: "ann" } };
  expect((await fetch(`${shop.origin}/v1/orders/o:cancel`, overIpv4)).status).toBe(429);
  expect((await fetch(`${shop.origin}/v1/orders/o:cancel`, { method: "POST" })).status).toBe(429);
  const carol = { method: "POST", headers: { authorization: "carol" } };
  expect((await fetch(`${shop.origin}/v1/orders/o:cancel`, carol)).status).toBe(200);
});

test("two addresses do not share a bucket, and what somebody says of its own changes nothing", async () => {
  await using shop = await openOrders();
  await using other = await openRelay(shop.server.port);
  const cancelFrom = async (port: number, headers: HeadersInit) =>
    (await fetch(`http://127.0.0.1:${port}/v1/orders/o:cancel`, { method: "POST", headers })).status;
  expect(await shop.cancel(50)).toBe(40);
  expect(await cancelFrom(shop.server.port, { "x-heddle-peer": "1.1.1.1", "x-forwarded-for": "1.1.1.1" })).toBe(429);
  expect(await cancelFrom(other.port, {})).toBe(200);
});

test("calls of the limited method leave others alone, and hooks hear which calls were refused for it", async () => {
  await using shop = await openOrders();
  await shop.cancel(41);
  await expect(shop.orders.getOrder({ id: "o" })).resolves.toMatchObject({ order: { id: "o" } });
  expect(shop.ended.filter(({ rateLimited }) => rateLimited)).toEqual([
    {
      method: OrderService.method.cancelOrder,
      code: Code.ResourceExhausted,
      durationMs: expect.any(Number),
      rateLimited: true,
    },
  ]);
});

test("a service that is not told to keeps no rate limits: the gateway does", async () => {
  await using shop = await openOrders({ isLimited: false });
  expect(await shop.cancel(100)).toBe(100);
});

/** A port whose connections go on to another from 127.0.0.2. */
async function openRelay(to: number): Promise<{ readonly port: number } & AsyncDisposable> {
  const relay = createServer((from) => {
    const onward = connect({ host: "127.0.0.1", port: to, localAddress: "127.0.0.2" });
    from.pipe(onward).pipe(from);
    for (const socket of [from, onward]) socket.on("error", () => {});
    from.once("close", () => onward.destroy());
    sockets.push(from);
  });
  const sockets: { destroy(): unknown }[] = [];
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  return {
    port: (relay.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => relay.close(resolve));
    },
  };
}
