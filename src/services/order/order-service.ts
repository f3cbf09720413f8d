import type { ServiceImpl } from "@connectrpc/connect";
import {
  type CreateOrderRequest,
  type CreateOrderResponse,
  OrderService,
} from "../../../gen/shop/order/v1/order_pb.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { Store } from "../../store/orm.ts";
import { cutPage, readPage } from "../../store/page-token.ts";
import { RequestAnswers, type Resource } from "../../store/request-answers.ts";
import { checkUser, type Dependencies, findProducts } from "./dependencies.ts";
import { OrderChanges } from "./order-changes.ts";
import { orderRequests } from "./order-entity.ts";
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
  const answers = new RequestAnswers({ store, rows: orderRequests, clock });
  const create = orderCreation({ ...options, answers, clock });
  return {
    createOrder: create,

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

    async cancelOrder(request) {
      const { id, reason } = request;
      const cancelled = await answers.once({
        method: OrderService.method.cancelOrder,
        request,
        work: async (em) => {
          const orders = orderRepository(em);
          const order = await orders.getForChange(id);
          await orders.cancel(order, reason || defaultReason, clock.wall());
          return { order: toProto(order) };
        },
      });
      changes.publish(id);
      return cancelled;
    },

    async *watchOrder({ id, afterVersion }, { signal }) {
      const options = { store, changes, afterVersion, signal };
      for await (const order of watchOrder(id, options)) yield { order: toProto(order) };
    },
  };
}

type CreationOptions = OrderServiceOptions & { readonly answers: RequestAnswers; readonly clock: Clock };

/**
 * Creating an order: look for the request, ask user and catalog, write. The others are asked between the two
 * transactions, as a transaction that waits for a network keeps everybody waiting.
 */
function orderCreation({ answers, users, catalog, clock }: CreationOptions) {
  const nextId = createOrderIds(clock);
  return async (request: CreateOrderRequest): Promise<CreateOrderResponse> => {
    const { userId, items } = request;
    const call = { method: OrderService.method.createOrder, request, resource };
    const before = await answers.before(call);
    if (before !== undefined) return before;

    await checkUser(users, userId);
    const products = await findProducts(
      catalog,
      items.map(({ sku }) => sku),
    );
    const order = { id: nextId(), userId, ...priceOrder(items, products) };
    return answers.once({
      ...call,
      work: async (em) => ({ order: toProto(await orderRepository(em).add(order, clock.wall())) }),
    });
  };
}

/** How versions are told of an order that kept its id in place of the answer. */
const resource: Resource<typeof OrderService.method.createOrder> = {
  keyOf: ({ order }) => order?.id ?? "",
  find: async (em, id) => ({ order: toProto(await orderRepository(em).get(id)) }),
};
