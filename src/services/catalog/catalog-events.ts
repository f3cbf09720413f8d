import {
  StockRejectedSchema,
  StockReleasedSchema,
  StockReservedSchema,
} from "../../../gen/shop/catalog/v1/events_pb.ts";
import {
  type OrderCancelled,
  OrderCancelledSchema,
  type OrderConfirmed,
  OrderConfirmedSchema,
  type OrderCreated,
  OrderCreatedSchema,
} from "../../../gen/shop/order/v1/events_pb.ts";
import { failedPrecondition } from "../../call/errors.ts";
import { type Handling, on, type Publish, type Subscription } from "../../events/handler.ts";
import { domain } from "./product-repository.ts";
import { type ReservationRow, reservations } from "./reservations.ts";

/** What the catalog's side of placing an order needs. */
export interface CatalogSubscriptionsOptions {
  readonly publish: Publish;
}

/**
 * Whom the catalog follows: orders, whose stock it keeps, sells and takes back. What an order's reservation has come to
 * is in its rows, and an event that it is past changes nothing; where the order may wait for an answer, the same one is
 * given again.
 */
export function catalogSubscriptions({ publish }: CatalogSubscriptionsOptions): readonly Subscription[] {
  const created = async ({ order }: OrderCreated, { em, now }: Handling) => {
    const { id: orderId = "", items = [] } = order ?? {};
    const stock = reservations(em, now);
    const [known] = await stock.of(orderId);
    const shortage = known ? rejectionOf(known) : await stock.reserve(orderId, items);
    if (shortage) return publish(em, StockRejectedSchema, { orderId, ...shortage });
    if (known?.state === "released") return; // it was cancelled, and has had its answer
    await publish(em, StockReservedSchema, { orderId });
  };
  const confirmed = async ({ order }: OrderConfirmed, { em, now }: Handling) => {
    const { id: orderId = "" } = order ?? {};
    const stock = reservations(em, now);
    if (await stock.sell(orderId)) return;
    if ((await stock.of(orderId)).length === 0) throw unheardOf(orderId);
  };
  const cancelled = async ({ order }: OrderCancelled, { em, now }: Handling) => {
    const { id: orderId = "" } = order ?? {};
    const stock = reservations(em, now);
    await stock.release(orderId, await stock.of(orderId));
    await publish(em, StockReleasedSchema, { orderId });
  };
  const handlers = [
    on(OrderCreatedSchema, created, { independent: true }),
    on(OrderConfirmedSchema, confirmed, { independent: true }),
    on(OrderCancelledSchema, cancelled, { independent: true }),
  ];
  return [{ source: "order", handlers }];
}

/** Why it was rejected, if it was. */
function rejectionOf({ state, reason, short_of: sku }: ReservationRow) {
  return state === "rejected" ? { reason, sku } : undefined;
}

function unheardOf(orderId: string) {
  const message = `order ${orderId} is confirmed, and nothing was ever reserved for it: its OrderCreated has to come first`;
  return failedPrecondition(message, { reason: "RESERVATION_MISSING", domain, metadata: { order: orderId } });
}
