import type { ServiceImpl } from "@connectrpc/connect";
import {
  type CreateOrderRequest,
  CreateOrderRequestSchema,
  type OrderService,
} from "../../../gen/shop/order/v1/order_pb.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { Store } from "../../store/orm.ts";
import { cutPage, readPage } from "../../store/page-token.ts";
import { type CreateRequest, createdBefore, createOnce, createRequest } from "../../store/request-ids.ts";
import { checkUser, type Dependencies, findProducts } from "./dependencies.ts";
import { OrderChanges } from "./order-changes.ts";
import { type Order, orderRequests } from "./order-entity.ts";
import { createOrderIds } from "./order-ids.ts";
import { toProto } from "./order-mapping.ts";
import { orderRepository } from "./order-repository.ts";
import { priceOrder } from "./price-order.ts";
import { watchOrder } from "./watch-order.ts";

/** What the order service needs. */
export interface OrderServiceOptions extends Dependencies {
  readonly store: Store;
  /** Shared by whatever changes orders in this process. */
  readonly changes?: OrderChanges;
  readonly clock?: Clock;
}

const defaultReason = "cancelled on request";

/** shop.order.v1.OrderService. Requests are already valid by the contract's rules. */
export function orderService(options: OrderServiceOptions): ServiceImpl<typeof OrderService> {
  const { store, clock = systemClock } = options;
  const { changes = new OrderChanges({ store, clock }) } = options;
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
        const orders = orderRepository(em);
        const order = await orders.getForChange(id);
        await orders.cancel(order, reason || defaultReason, clock.wall());
        return order;
      });
      changes.publish(id);
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
function orderCreation({ store, users, catalog, clock }: OrderServiceOptions & { readonly clock: Clock }) {
  const nextId = createOrderIds(clock);
  return async (request: CreateOrderRequest): Promise<Order> => {
    const { userId, items } = request;
    const once = { ...createRequest(CreateOrderRequestSchema, request), now: clock.wall() };
    const before = await orderOf(store, once);
    if (before !== undefined) return before;

    await checkUser(users, userId);
    const products = await findProducts(
      catalog,
      items.map(({ sku }) => sku),
    );
    const order = { id: nextId(), userId, ...priceOrder(items, products) };
    return store.unit((em) =>
      createOnce(em, orderRequests, once, {
        create: () => orderRepository(em).add(order, once.now),
        keyOf: ({ id }) => id,
        find: (id) => orderRepository(em).get(id),
      }),
    );
  };
}

/** The order that the same request has made before. */
async function orderOf(store: Store, request: CreateRequest): Promise<Order | undefined> {
  if (request.requestId === "") return undefined;
  return store.read(async (em) => {
    const id = await createdBefore(em, orderRequests, request);
    return id === undefined ? undefined : orderRepository(em).get(id);
  });
}
