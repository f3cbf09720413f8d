import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { type Order, OrderService, OrderStatus } from "../../../../gen/shop/order/v1/order_pb.ts";
import { answers, type Case, fails } from "../case.ts";
import type { Shop } from "../shop.ts";
import { aProduct, price } from "./catalog-cases.ts";
import { aUser } from "./user-cases.ts";

const { createOrder, getOrder, listOrders, cancelOrder, watchOrder } = OrderService.method;
const missing = { code: Code.NotFound, reason: "ORDER_NOT_FOUND" };

/** A request for two of a product by a user, both there. */
export async function wish(shop: Shop) {
  return { userId: (await aUser(shop)).id, items: [{ sku: (await aProduct(shop)).sku, qty: 2 }] };
}

/** An order there is, and that no other case knows. */
export async function anOrder(shop: Shop): Promise<Order> {
  const { order = expect.fail() } = await shop.orders.createOrder(await wish(shop));
  return order;
}

/** shop.order.v1.OrderService. */
export const orderCases: readonly Case[] = [
  answers(createOrder, "an order that is pending, priced and added up", {
    given: wish,
    check: ([{ order }], [{ userId, items }]) => {
      expect(order).toMatchObject({ userId, status: OrderStatus.PENDING, version: 1, cancelReason: "" });
      expect(order?.items).toMatchObject([{ sku: items[0]?.sku, qty: 2, price }]);
      expect(order?.total).toMatchObject({ currencyCode: "EUR", units: 19n, nanos: 980_000_000 });
    },
  }),
  fails(createOrder, "a user that does not exist", {
    given: async (shop) => ({ ...(await wish(shop)), userId: 999_999n }),
    code: Code.NotFound,
    reason: "USER_NOT_FOUND",
  }),
  fails(createOrder, "a product that does not exist", {
    given: async (shop) => ({ ...(await wish(shop)), items: [{ sku: "NOPE", qty: 1 }] }),
    code: Code.NotFound,
    reason: "PRODUCT_NOT_FOUND",
  }),
  fails(createOrder, "the user service away", {
    at: "order-without-user",
    given: wish,
    code: Code.Unavailable,
    reason: "USER_SERVICE_UNAVAILABLE",
  }),
  fails(createOrder, "the catalog away", {
    at: "order-without-catalog",
    given: wish,
    code: Code.Unavailable,
    reason: "CATALOG_SERVICE_UNAVAILABLE",
  }),
  fails(createOrder, "prices in two currencies", {
    given: async (shop) => {
      const [here, there] = [await aProduct(shop), await aProduct(shop, { price: { ...price, currencyCode: "USD" } })];
      return { userId: (await aUser(shop)).id, items: [here, there].map(({ sku }) => ({ sku, qty: 1 })) };
    },
    code: Code.FailedPrecondition,
    reason: "MIXED_CURRENCIES",
  }),
  fails(createOrder, "a total that money cannot say", {
    given: async (shop) => {
      const { sku } = await aProduct(shop, { price: { ...price, units: 2n ** 52n } });
      return { userId: (await aUser(shop)).id, items: [{ sku, qty: 10_000 }] };
    },
    code: Code.FailedPrecondition,
    reason: "TOTAL_TOO_LARGE",
  }),
  answers(createOrder, "the same order for the same request id, nobody asked", {
    at: "order-without-user",
    given: async (shop) => {
      const request = { ...(await wish(shop)), requestId: `request-${shop.next()}` };
      await shop.orders.createOrder(request);
      return request;
    },
    check: ([{ order }], [{ userId }]) => expect(order).toMatchObject({ userId, version: 1 }),
  }),
  fails(createOrder, "a request id that stands for something else", {
    given: async (shop) => {
      const request = { ...(await wish(shop)), requestId: `request-${shop.next()}` };
      await shop.orders.createOrder(request);
      return { ...request, items: [{ sku: "ABC", qty: 3 }] };
    },
    code: Code.InvalidArgument,
    reason: "REQUEST_ID_REUSED",
    fields: ["request_id"],
  }),
  fails(createOrder, "nobody who orders nothing", {
    given: () => ({}),
    code: Code.InvalidArgument,
    fields: ["user_id", "items"],
  }),
  fails(createOrder, "no quantity in the second line", {
    given: () => ({ userId: 1n, items: [{ sku: "A", qty: 1 }, { sku: "B" }] }),
    code: Code.InvalidArgument,
    fields: ["items[1].qty"],
  }),
  fails(createOrder, "the same product in two lines", {
    given: () => ({
      userId: 1n,
      items: [
        { sku: "A", qty: 1 },
        { sku: "A", qty: 2 },
      ],
    }),
    code: Code.InvalidArgument,
    fields: ["items"],
  }),

  answers(getOrder, "an order", {
    given: async (shop) => ({ id: (await anOrder(shop)).id }),
    check: ([{ order }], [{ id }]) => expect(order).toMatchObject({ id, status: OrderStatus.PENDING, version: 1 }),
  }),
  fails(getOrder, "an order that does not exist", { given: () => ({ id: "nope" }), ...missing }),
  fails(getOrder, "an id that is too long", {
    given: () => ({ id: "x".repeat(65) }),
    code: Code.InvalidArgument,
    fields: ["id"],
  }),

  answers(listOrders, "one user's", {
    given: async (shop) => ({ userId: (await anOrder(shop)).userId }),
    check: ([{ orders, nextPageToken }], [{ userId }]) => {
      expect(orders).toMatchObject([{ userId, status: OrderStatus.PENDING }]);
      expect(nextPageToken).toBe("");
    },
  }),
  answers(listOrders, "everyone's, the newest first", {
    given: async (shop) => {
      await anOrder(shop);
      await anOrder(shop);
      return { pageSize: 2 };
    },
    check: ([{ orders, nextPageToken }]) => {
      const [first = "", second = ""] = orders.map(({ id }) => id);
      expect(first > second && second !== "").toBe(true);
      expect(nextPageToken).toBeDefined();
    },
  }),
  fails(listOrders, "a page token of somebody else's making", {
    given: () => ({ pageToken: "garbage" }),
    code: Code.InvalidArgument,
    fields: ["page_token"],
  }),

  answers(cancelOrder, "an order, with the reason", {
    given: async (shop) => ({ id: (await anOrder(shop)).id, reason: "changed my mind" }),
    check: ([{ order }]) =>
      expect(order).toMatchObject({ status: OrderStatus.CANCELLED, cancelReason: "changed my mind", version: 2 }),
  }),
  answers(cancelOrder, "one cancelled already, as it is", {
    given: async (shop) => {
      const { id } = await anOrder(shop);
      await shop.orders.cancelOrder({ id });
      return { id, reason: "again" };
    },
    check: ([{ order }]) => expect(order).toMatchObject({ cancelReason: "cancelled on request", version: 2 }),
  }),
  fails(cancelOrder, "an order that does not exist", { given: () => ({ id: "nope" }), ...missing }),

  answers(watchOrder, "an order as it is now", {
    given: async (shop) => ({ id: (await anOrder(shop)).id }),
    take: 1,
    check: ([{ order }], [{ id }]) => expect(order).toMatchObject({ id, status: OrderStatus.PENDING }),
  }),
  answers(watchOrder, "a cancelled order once, then the end", {
    given: async (shop) => {
      const { id } = await anOrder(shop);
      await shop.orders.cancelOrder({ id });
      return { id };
    },
    check: (told) => expect(told).toMatchObject([{ order: { status: OrderStatus.CANCELLED } }]),
  }),
  fails(watchOrder, "an order that does not exist", { given: () => ({ id: "nope" }), ...missing }),
];
