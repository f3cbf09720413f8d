import { Code, createClient } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { LocalBuckets } from "../../server/policy/local-buckets.ts";
import { openTown, transportsTo, until } from "../../test/suites/gateway-parts.ts";
import { openDatabase } from "../../testing/open-database.ts";
import type { GatewayOptions } from "../options.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

/** A gateway before an order service: CancelOrder, 20 a second, 40 at once. The buckets' time stands still. */
async function openOrders(options: GatewayOptions = {}) {
  await using own = new AsyncDisposableStack();
  const town = own.use(await openTown());
  const seen: Headers[] = [];
  const cancelOrder = ({ id }: { id: string }, { requestHeader }: { requestHeader: Headers }) => {
    seen.push(requestHeader);
    return { order: { id } };
  };
  own.use(
    await town.join("order", [
      [OrderService, { cancelOrder, getOrder: ({ id }: { id: string }) => ({ order: { id } }) }],
    ]),
  );
  const rateLimits = new LocalBuckets({ now: () => 0 });
  const gateway = own.use(await town.gateway({ rateLimits, ...options }));
  const url = `http://127.0.0.1:${gateway.port}`;
  await until(
    () => fetch(`${url}/v1/orders/o`),
    ({ status }) => status === 200,
  );
  const cancel = (headers: HeadersInit = {}) => fetch(`${url}/v1/orders/o:cancel`, { method: "POST", headers });
  /** How many of so many got through. */
  const cancelled = async (count: number, headers: HeadersInit = {}) => {
    const answers = await Promise.all(Array.from({ length: count }, () => cancel(headers)));
    return answers.filter(({ status }) => status === 200).length;
  };
  const all = own.move();
  return { gateway, cancel, cancelled, seen, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

test("the gateway keeps the contract's rate limit over every protocol together, and asks no service for what it refuses", async () => {
  await using shop = await openOrders();
  expect(await shop.cancelled(60)).toBe(40);
  const refused = await shop.cancel();
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  expect(refused.headers.get("ratelimit-policy")).toBe('"CancelOrder";q=40;w=2');
  expect(await refused.json()).toMatchObject({
    code: Code.ResourceExhausted,
    details: [{ reason: "RATE_LIMITED" }, {}],
  });
  for (const [protocol, transport] of transportsTo(shop.gateway.port)) {
    const call = createClient(OrderService, transport).cancelOrder({ id: "o" });
    await expect(call, protocol).rejects.toMatchObject({ code: Code.ResourceExhausted });
  }
  expect(shop.seen).toHaveLength(40);
});

test("answers that pass tell what is left, and upstream is told who called", async () => {
  await using shop = await openOrders();
  const answer = await shop.cancel({ "x-forwarded-for": "1.1.1.1" });
  expect(answer.headers.get("ratelimit")).toBe('"CancelOrder";r=39;t=1');
  for (const [, transport] of transportsTo(shop.gateway.port)) {
    await createClient(OrderService, transport).cancelOrder({ id: "o" }, { headers: { "x-forwarded-for": "1.1.1.1" } });
  }
  expect(shop.seen.map((header) => header.get("x-forwarded-for"))).toEqual(Array(5).fill("127.0.0.1"));
});

test("behind a proxy that is trusted each caller has a bucket of its own; a caller that invents addresses has one", async () => {
  await using shop = await openOrders({ trustedProxies: ["127.0.0.0/8"] });
  expect(await shop.cancelled(50, { "x-forwarded-for": "192.0.2.1" })).toBe(40);
  expect(await shop.cancelled(50, { "x-forwarded-for": "192.0.2.2" })).toBe(40);
  let passed = 0;
  for (let i = 0; i < 5; i++) passed += await shop.cancelled(10, { "x-forwarded-for": `10.9.8.${i}, 192.0.2.3` });
  expect(passed).toBe(40);
  for (const [, transport] of transportsTo(shop.gateway.port)) {
    const headers = { "x-forwarded-for": "192.0.2.4" };
    await createClient(OrderService, transport).cancelOrder({ id: "o" }, { headers });
  }
  expect(shop.seen.at(-1)?.get("x-forwarded-for")).toBe("192.0.2.4, 127.0.0.1");
  for (const [protocol, transport] of transportsTo(shop.gateway.port)) {
    const headers = { "x-forwarded-for": "192.0.2.1" };
    const call = createClient(OrderService, transport).cancelOrder({ id: "o" }, { headers });
    await expect(call, protocol).rejects.toMatchObject({ code: Code.ResourceExhausted });
  }
});

test("a gateway that is told to keeps no rate limits", async () => {
  await using shop = await openOrders({ rateLimits: false });
  expect(await shop.cancelled(60)).toBe(60);
});

test("an answer that is given again for its key takes nothing of the limit, and tells nothing of what was left before", async () => {
  await using answers = await openDatabase();
  await using shop = await openOrders({ answers });
  const key = { "idempotency-key": '"one"' };
  expect((await shop.cancel(key)).headers.get("ratelimit")).toMatch(/r=39;/);
  const { status, headers } = await shop.cancel(key);
  expect([status, headers.get("idempotency-replayed"), headers.get("ratelimit")]).toEqual([200, "true", null]);
  expect(headers.get("ratelimit-policy")).toBeNull();
  expect((await shop.cancel()).headers.get("ratelimit")).toMatch(/r=38;/);
});
