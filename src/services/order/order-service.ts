import type { ServiceImpl } from "@connectrpc/connect";
import {
  type CreateOrderRequest,
  type CreateOrderResponse,
  OrderService,
} from "../../../gen/shop/order/v1/order_pb.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { createUuids } from "../../base/uuids.ts";
import type { Store } from "../../store/orm.ts";
import { cutPage, readPage } from "../../store/page-token.ts";
import { RequestAnswers, type Resource } from "../../store/request-answers.ts";
import { checkUser, type Dependencies, findProducts } from "./dependencies.ts";
import { orderRequests } from "./order-entity.ts";
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

    cancelOrder(request) {
      const { id, reason } = request;
      return answers.once({
        method: OrderService.method.cancelOrder,
        request,
        work: async (em) => {
          const order = await orderRepository(em).getForChange(id);
          await placeOrder.cancel({ em, id, now: clock.wall(), reason: reason || defaultReason }, order);
          return { order: toProto(order) };
        },
      });
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
function orderCreation({ answers, users, catalog, placeOrder, clock, random }: CreationOptions) {
  const nextId = createUuids(clock, random);
  return async (request: CreateOrderRequest): Promise<CreateOrderResponse> => {
    const { userId, items } = request;
    const call = { method: OrderService.method.createOrder, request, resource };
    const before = await answers.before(call);
    if (before !== undefined) return before;

    const skus = items.map(({ sku }) => sku);
    const [, products] = await userFirst(checkUser(users, userId), findProducts(catalog, skus));
    const order = { id: nextId(), userId, ...priceOrder(items, products) };
    return answers.once({
      ...call,
      work: async (em) => ({ order: toProto(await placeOrder.create({ em, now: clock.wall() }, order)) }),
    });
  };
}

/** How versions are told of an order that kept its id in place of the answer. */
const resource: Resource<typeof OrderService.method.createOrder> = {
  keyOf: ({ order }) => order?.id ?? "",
  find: async (em, id) => ({ order: toProto(await orderRepository(em).get(id)) }),
};

/** What both come to; where both fail, the first one's error, for what is wrong with the user is told first. */
async function userFirst<A, B>(user: Promise<A>, products: Promise<B>): Promise<[A, B]> {
  products.catch(() => {}); // told below, unless the user's is
  return [await user, await products];
}
