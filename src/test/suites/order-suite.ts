import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService, OrderStatus } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { notFound } from "../../call/errors.ts";
import type { OrderChanges } from "../../services/order/order-changes.ts";
import { orderRows } from "../../services/order/order-entity.ts";
import { orderService } from "../../services/order/order-service.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import type { Store } from "../../store/orm.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { expectError } from "./errors.ts";
import { clientOf, openReplicas } from "./open-service.ts";
import { orderParts } from "./order-parts.ts";
import { schemaSuite } from "./schema-suite.ts";

const eur = (units: bigint, nanos = 0) => ({ currencyCode: "EUR", units, nanos });
const prices = new Map([
  ["ABC", eur(9n, 990_000_000)],
  ["DEF", eur(0n, 10_000_000)],
  ["USD", { ...eur(1n), currencyCode: "USD" }],
  ["GOLD", eur(2n ** 62n)],
]);

/** A user service and a catalog that count how often they are asked, and can be away. */
function neighbours() {
  const state = { asked: 0, away: new Map<"user" | "catalog", Code>() };
  const ask = (service: "user" | "catalog") => {
    state.asked++;
    const code = state.away.get(service);
    if (code !== undefined) throw new ConnectError("nobody there", code);
  };
  const users = clientOf(UserService, {
    async getUser({ id }) {
      ask("user");
      if (id > 99n) throw notFound("user", id, "shop.user.v1");
      return { user: { id } };
    },
  });
  const catalog = clientOf(CatalogService, {
    async batchGetProducts({ skus }) {
      ask("catalog");
      const product = (sku: string) => {
        const price = prices.get(sku);
        if (price === undefined) throw notFound("product", sku, "shop.catalog.v1");
        return { sku, price };
      };
      return { products: skus.map(product) };
    },
  });
  return { state, users, catalog };
}

const two = { userId: 42n, items: [{ sku: "ABC", qty: 2 }] };

/** What the order service promises, whatever the database. */
export function orderSuite(kind: DatabaseKind): void {
  const open = async (count = 1) => {
    const clock = fakeClock();
    const { state, users, catalog } = neighbours();
    const changes: OrderChanges[] = [];
    const implement = (store: Store) => {
      const { changes: own, placeOrder } = orderParts(store, clock);
      changes.push(own);
      return orderService({ store, users, catalog, placeOrder, clock });
    };
    const replicas = await openReplicas(kind, { service: OrderService, rows: orderRows, implement }, count);
    const [orders = expect.fail(), second = orders] = replicas.clients;
    const create = async (request: Parameters<typeof orders.createOrder>[0] = two) => {
      const { order = expect.fail() } = await orders.createOrder(request);
      return order;
    };
    const close = () => replicas[Symbol.asyncDispose]();
    return { orders, second, create, state, clock, changes, [Symbol.asyncDispose]: close };
  };

  schemaSuite(kind, orderRows);

  test("on a machine whose date is set back, later orders still come first, page by page, and no change is older than its order", async () => {
    await using shop = await open();
    const made: string[] = [];
    for (let turn = 0; turn < 6; turn++) {
      made.unshift((await shop.create({ ...two, requestId: `turn-${turn}` })).id);
      shop.clock.jump(-3_600_000);
    }
    const listed: string[] = [];
    for (let pageToken = "", first = true; first || pageToken !== ""; first = false) {
      const page = await shop.orders.listOrders({ pageSize: 2, pageToken });
      listed.push(...page.orders.map(({ id }) => id));
      pageToken = page.nextPageToken;
    }
    expect(listed).toEqual(made);
    const { order } = await shop.orders.cancelOrder({ id: made[0] ?? "" });
    expect(order?.updatedAt).toEqual(order?.createdAt);
  });

  test("an order is pending, priced by the catalog and added up", async () => {
    await using shop = await open();
    const items = [
      { sku: "DEF", qty: 3 },
      { sku: "ABC", qty: 2 },
    ];
    const order = await shop.create({ userId: 42n, items });
    expect(order).toMatchObject({ userId: 42n, status: OrderStatus.PENDING, version: 1, cancelReason: "" });
    expect(order.items).toMatchObject([
      { ...items[0], price: prices.get("DEF") },
      { ...items[1], price: prices.get("ABC") },
    ]);
    expect(order.total).toMatchObject(eur(20n, 10_000_000));
    expect((await shop.orders.getOrder({ id: order.id })).order).toEqual(order);
  });

  test("an unknown user is NOT_FOUND, and so is an unknown product, by name", async () => {
    await using shop = await open();
    const user = { code: Code.NotFound, reason: "USER_NOT_FOUND", message: /user 100 does not exist/ };
    await expectError(shop.create({ ...two, userId: 100n }), user);
    const items = [
      { sku: "ABC", qty: 1 },
      { sku: "NOPE", qty: 1 },
      { sku: "NADA", qty: 1 },
    ];
    const product = { code: Code.NotFound, reason: "PRODUCT_NOT_FOUND", message: /product NOPE does not exist/ };
    await expectError(shop.create({ userId: 42n, items }), product);
    expect((await shop.orders.listOrders({})).orders).toEqual([]);
  });

  test("a service that is away is named, with UNAVAILABLE", async () => {
    await using shop = await open();
    for (const code of [Code.Unavailable, Code.DeadlineExceeded]) {
      shop.state.away = new Map([["user", code]]);
      await expectError(shop.create(), {
        code: Code.Unavailable,
        reason: "USER_SERVICE_UNAVAILABLE",
        message: /user service/,
      });
      shop.state.away = new Map([["catalog", code]]);
      await expectError(shop.create(), { code: Code.Unavailable, reason: "CATALOG_SERVICE_UNAVAILABLE" });
    }
    const both = [
      ["catalog", Code.Unavailable],
      ["user", Code.Unavailable],
    ] as const;
    shop.state.away = new Map(both);
    await expectError(shop.create(), { code: Code.Unavailable, reason: "USER_SERVICE_UNAVAILABLE" });
    shop.state.away = new Map([["catalog", Code.DataLoss]]);
    await expectError(shop.create(), { code: Code.Internal, message: /catalog service failed/ });
  });

  test("prices in several currencies, or a total beyond money, are FAILED_PRECONDITION", async () => {
    await using shop = await open();
    const items = [
      { sku: "ABC", qty: 1 },
      { sku: "USD", qty: 1 },
    ];
    await expectError(shop.create({ userId: 42n, items }), {
      code: Code.FailedPrecondition,
      reason: "MIXED_CURRENCIES",
      message: /EUR, USD/,
    });
    const gold = shop.create({ userId: 42n, items: [{ sku: "GOLD", qty: 2 }] });
    await expectError(gold, { code: Code.FailedPrecondition, reason: "TOTAL_TOO_LARGE" });
  });

  test("the same request creates once, and a replay asks nobody", async () => {
    await using shop = await open();
    const request = { ...two, requestId: "r-1" };
    const first = await shop.create(request);
    shop.state.away = new Map([["user", Code.Unavailable]]);
    expect(await shop.create(request)).toEqual(first);
    expect(shop.state.asked).toBe(2);
    const reused = { code: Code.InvalidArgument, reason: "REQUEST_ID_REUSED", fields: ["request_id"] };
    await expectError(shop.create({ ...request, userId: 43n }), reused);
  });

  test("a creation or cancellation that is made again gets the first answer, whatever has become of the order", async () => {
    await using shop = await open();
    const request = { ...two, requestId: "r-1" };
    const first = await shop.orders.createOrder(request);
    const cancel = { id: first.order?.id ?? "", reason: "changed my mind", requestId: "r-2" };
    const cancelled = await shop.orders.cancelOrder(cancel);
    expect(await shop.orders.createOrder(request)).toEqual(first);
    expect(await shop.orders.cancelOrder(cancel)).toEqual(cancelled);
    const reused = { code: Code.InvalidArgument, reason: "REQUEST_ID_REUSED", fields: ["request_id"] };
    await expectError(shop.orders.cancelOrder({ ...cancel, reason: "another" }), reused);
  });

  test("the same request to two replicas at once creates once", async () => {
    await using shop = await open(2);
    const request = { ...two, requestId: "r-1" };
    const turns = Array.from({ length: 20 }, (_, turn) => (turn % 2 === 0 ? shop.orders : shop.second));
    const answers = await Promise.all(turns.map((replica) => replica.createOrder(request)));
    expect(new Set(answers.map(({ order }) => order?.id)).size).toBe(1);
    expect((await shop.orders.listOrders({})).orders).toHaveLength(1);
  });

  test("orders are listed newest first, everyone's or one user's, page by page", async () => {
    await using shop = await open();
    const ids: string[] = [];
    for (let turn = 0; turn < 6; turn++)
      ids.unshift((await shop.create({ ...two, userId: BigInt(1 + (turn % 2)) })).id);
    const all = await shop.orders.listOrders({});
    expect(all.orders.map(({ id }) => id)).toEqual(ids);
    const first = await shop.orders.listOrders({ userId: 2n, pageSize: 2 });
    const rest = await shop.orders.listOrders({ userId: 2n, pageSize: 2, pageToken: first.nextPageToken });
    expect([...first.orders, ...rest.orders].map(({ id }) => id)).toEqual(ids.filter((_, at) => at % 2 === 0));
    const others = shop.orders.listOrders({ userId: 1n, pageToken: first.nextPageToken });
    await expectError(others, { code: Code.InvalidArgument, fields: ["page_token"] });
  });

  test("an order is cancelled once and keeps its first reason", async () => {
    await using shop = await open();
    const { id } = await shop.create();
    const { order } = await shop.orders.cancelOrder({ id });
    expect(order).toMatchObject({ status: OrderStatus.CANCELLED, cancelReason: "cancelled on request", version: 2 });
    expect((await shop.orders.cancelOrder({ id, reason: "other" })).order).toEqual(order);
  });

  test("an order that does not exist is NOT_FOUND, however it is asked for", async () => {
    await using shop = await open();
    const missing = { code: Code.NotFound, reason: "ORDER_NOT_FOUND" };
    await expectError(shop.orders.getOrder({ id: "nope" }), missing);
    await expectError(shop.orders.cancelOrder({ id: "nope" }), missing);
    await expectError(shop.orders.watchOrder({ id: "nope" })[Symbol.asyncIterator]().next(), missing);
  });

  test("an order followed is told as it is, then as it is cancelled, and then the stream ends", async () => {
    await using shop = await open();
    const { id } = await shop.create();
    const told = shop.orders.watchOrder({ id })[Symbol.asyncIterator]();
    expect((await told.next()).value?.order?.status).toBe(OrderStatus.PENDING);
    const next = told.next();
    await shop.orders.cancelOrder({ id });
    expect((await next).value?.order?.status).toBe(OrderStatus.CANCELLED);
    expect((await told.next()).done).toBe(true);
    expect(shop.clock.pending).toBe(0);
  });

  test("who has seen a version of an order is told of later ones only", async () => {
    await using shop = await open();
    const { id, version } = await shop.create();
    const told = shop.orders.watchOrder({ id, afterVersion: version })[Symbol.asyncIterator]();
    const first = told.next();
    await expect.poll(() => shop.changes[0]?.size, { interval: 5 }).toBe(1);
    await shop.orders.cancelOrder({ id });
    expect((await first).value?.order).toMatchObject({ version: version + 1, status: OrderStatus.CANCELLED });
    expect((await told.next()).done).toBe(true);
  });

  test("who has seen an order cancelled is told nothing more of it", async () => {
    await using shop = await open();
    const { id } = await shop.create();
    const { order } = await shop.orders.cancelOrder({ id });
    const told = shop.orders.watchOrder({ id, afterVersion: order?.version ?? 0 })[Symbol.asyncIterator]();
    expect((await told.next()).done).toBe(true);
  });

  test("a change made by the other replica is told too", async () => {
    await using shop = await open(2);
    const { id } = await shop.create();
    const told = shop.orders.watchOrder({ id })[Symbol.asyncIterator]();
    await told.next();
    await shop.second.cancelOrder({ id });
    const next = told.next();
    await shop.clock.advance(500);
    expect((await next).value?.order?.status).toBe(OrderStatus.CANCELLED);
  });

  test("however many follow an order, one timer serves them all, and none when the last has gone", async () => {
    await using shop = await open();
    const { id } = await shop.create();
    const gone = new AbortController();
    const streams = Array.from({ length: 10 }, () => shop.orders.watchOrder({ id }, { signal: gone.signal }));
    const followers = streams.map((stream) => stream[Symbol.asyncIterator]());
    await Promise.all(followers.map((follower) => follower.next()));
    for (let round = 0; round < 3; round++) await shop.clock.advance(500);
    await expect.poll(() => shop.clock.pending, { interval: 5 }).toBe(1);
    const ends = followers.map((follower) => follower.next().catch((reason: unknown) => reason));
    gone.abort();
    await Promise.all(ends);
    await expect.poll(() => shop.clock.pending, { interval: 5 }).toBe(0);
  });

  test("a follower that goes leaves no timer and no subscription behind", async () => {
    await using shop = await open();
    const { id } = await shop.create();
    const gone = new AbortController();
    const told = shop.orders.watchOrder({ id }, { signal: gone.signal })[Symbol.asyncIterator]();
    await told.next();
    const next = told.next();
    await expect.poll(() => shop.clock.pending, { interval: 5 }).toBe(1);
    gone.abort();
    await expect(next).rejects.toMatchObject({ code: Code.Canceled });
    await expect.poll(() => [shop.clock.pending, shop.changes[0]?.size], { interval: 5 }).toEqual([0, 0]);
  });
}
