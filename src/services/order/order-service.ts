import type { ServiceImpl } from "@connectrpc/connect";
import {
  type CreateOrderRequest,
  CreateOrderRequestSchema,
  type OrderService,
} from "../../../gen/shop/order/v1/order_pb.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { createUuids } from "../../base/uuids.ts";
import type { Store } from "../../store/orm.ts";
import { cutPage, readPage } from "../../store/page-token.ts";
import { type CreateRequest, createdBefore, createOnce, createRequest } from "../../store/request-ids.ts";
import { checkUser, type Dependencies, findProducts } from "./dependencies.ts";
import { type Order, orderRequests } from "./order-entity.ts";
import { toProto } from "./order-mapping.ts";
import { orderRepository } from "./order-repository.ts";
import type { PlaceOrder } from "./place-order.ts";
import { priceOrder } from "./price-order.ts";
import { watchOrder } from "./watch-order.ts";

/** What the order service needs. */
export interface OrderServiceOptions extends Dependencies {
  readonly store: Store;
  /** Shared by whatever changes orders in this process. */
  readonly placeOrder: PlaceOrder;
  readonly clock?: Clock;
  readonly random?: Random;
}

const defaultReason = "cancelled on request";

/** shop.order.v1.OrderService. Requests are already valid by the contract's rules. */
export function orderService(options: OrderServiceOptions): ServiceImpl<typeof OrderService> {
  const { store, placeOrder, clock = systemClock } = options;
  const { changes } = placeOrder;
  const create = orderCreation({ ...options, clock });
  return {
    async createOrder(request) {
      return { order: toProto(await create(request)) };
    },

    async getOrder({ id }) {
      return { order: toProto(await store.read((em) => orderRepository(em).get(id))) };
    },

    async listOrders(request) {
      const scope = `orders of ${request.userId}`;
      const page = readPage(request, scope);
      const found = await store.read((em) => orderRepository(em).list(request.userId, page));
      const { rows, nextPageToken } = cutPage(found, page, scope, ({ id }) => id);
      return { orders: rows.map(toProto), nextPageToken };
    },

    async cancelOrder({ id, reason }) {
      const cancelled = await store.unit(async (em) => {
        const order = await orderRepository(em).getForChange(id);
        await placeOrder.cancel({ em, id, now: clock.wall(), reason: reason || defaultReason }, order);
        return order;
      });
      return { order: toProto(cancelled) };
    },

    async *watchOrder({ id, afterVersion }, { signal }) {
      const options = { store, changes, afterVersion, signal };
      for await (const order of watchOrder(id, options)) yield { order: toProto(order) };
    },
  };
}

/**
 * Creating an order: look for the request, ask user and catalog, write. The others are asked between the two
 * transactions, as a transaction that waits for a network keeps everybody waiting.
 */
function orderCreation(options: OrderServiceOptions & { readonly clock: Clock }) {
  const { store, users, catalog, placeOrder, clock, random } = options;
  const nextId = createUuids(clock, random);
  return async (request: CreateOrderRequest): Promise<Order> => {
    const { userId, items } = request;
    const once = { ...createRequest(CreateOrderRequestSchema, request), now: clock.wall() };
    const before = await orderOf(store, once);
    if (before !== undefined) return before;

    const skus = items.map(({ sku }) => sku);
    const [, products] = await userFirst(checkUser(users, userId), findProducts(catalog, skus));
    const order = { id: nextId(), userId, ...priceOrder(items, products) };
    return store.unit((em) =>
      createOnce(em, orderRequests, once, {
        create: () => placeOrder.create({ em, now: once.now }, order),
        keyOf: ({ id }) => id,
        find: (id) => orderRepository(em).get(id),
      }),
    );
  };
}

/** What both come to; where both fail, the first one's error, for what is wrong with the user is told first. */
async function userFirst<A, B>(user: Promise<A>, products: Promise<B>): Promise<[A, B]> {
  products.catch(() => {}); // told below, unless the user's is
  return [await user, await products];
}

/** The order that the same request has made before. */
async function orderOf(store: Store, request: CreateRequest): Promise<Order | undefined> {
  if (request.requestId === "") return undefined;
  return store.read(async (em) => {
    const id = await createdBefore(em, orderRequests, request);
    return id === undefined ? undefined : orderRepository(em).get(id);
  });
}
