import {
  StockRejectedSchema,
  StockReleasedSchema,
  StockReservedSchema,
} from "../../../gen/shop/catalog/v1/events_pb.ts";
import { UserDeletedSchema } from "../../../gen/shop/user/v1/events_pb.ts";
import { on, type Subscription } from "../../events/handler.ts";
import { orderRepository } from "./order-repository.ts";
import type { PlaceOrder } from "./place-order.ts";

/** What is done about one order has nothing to do with another. */
const apart = { independent: true };
const userDeleted = "the user was deleted";

/** Whom the order service follows: the catalog, which answers to its orders, and the users who leave. */
export function orderSubscriptions(placeOrder: PlaceOrder): readonly Subscription[] {
  const catalog = [
    on(StockReservedSchema, ({ orderId: id }, { em, now }) => placeOrder.confirm({ em, id, now }), apart),
    on(
      StockRejectedSchema,
      ({ orderId: id, reason }, { em, now }) => placeOrder.reject({ em, id, now, reason }),
      apart,
    ),
    on(
      StockReleasedSchema,
      async ({ orderId: id }, { em, now }) => {
        await placeOrder.saga.compensated({ em, id, now });
      },
      apart,
    ),
  ];
  const user = [
    on(UserDeletedSchema, async ({ id: userId }, { em, now }) => {
      const orders = await orderRepository(em).pendingOf(userId);
      for (const order of orders) await placeOrder.cancel({ em, id: order.id, now, reason: userDeleted }, order);
    }),
  ];
  return [
    { source: "catalog", handlers: catalog },
    { source: "user", handlers: user },
  ];
}
