import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  OrderCancelledSchema,
  OrderConfirmedSchema,
  OrderCreatedSchema,
} from "../../../gen/shop/order/v1/events_pb.ts";
import type { Order } from "../../../gen/shop/order/v1/order_pb.ts";
import { type Handling, on, type Subscription } from "../../events/handler.ts";
import { type ListedOrder, userOrderRepository } from "./user-order-repository.ts";
import { listedStatus } from "./user-order-status.ts";

/**
 * Keeps the list of each user's orders from what the order service publishes. Each event brings the whole order, and what is
 * older than what is known changes nothing: the list comes out the same in whatever order events are heard.
 */
export function userOrderSubscription(): Subscription {
  const handlers = [
    on(OrderCreatedSchema, keepOrder, { independent: true }),
    on(OrderConfirmedSchema, keepOrder, { independent: true }),
    on(OrderCancelledSchema, keepOrder, { independent: true }),
  ];
  return { source: "order", handlers, clear: (em) => userOrderRepository(em).clear() };
}

async function keepOrder({ order }: { readonly order?: Order | undefined }, { em, event }: Handling): Promise<void> {
  if (order === undefined) throw new Error(`event ${event.id}: ${event.type} has no order`);
  await userOrderRepository(em).keep(listed(order));
}

function listed(order: Order): ListedOrder {
  const { id: orderId, userId, total, createdAt, updatedAt, version } = order;
  const status = listedStatus(order.status);
  if (status === undefined || createdAt === undefined || updatedAt === undefined) {
    throw new Error(`order ${orderId}: status ${order.status}, created_at and updated_at have to be known ones`);
  }
  return {
    orderId,
    userId,
    status,
    itemCount: order.items.length,
    currency: total?.currencyCode ?? "",
    totalUnits: total?.units ?? 0n,
    totalNanos: total?.nanos ?? 0,
    version,
    createdAt: timestampDate(createdAt),
    updatedAt: timestampDate(updatedAt),
  };
}
