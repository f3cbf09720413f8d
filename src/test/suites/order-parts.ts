import { type Clock, systemClock } from "../../base/clock.ts";
import { createOutbox } from "../../events/outbox/outbox.ts";
import { sagaService } from "../../events/saga/saga-service.ts";
import { catalogSubscriptions } from "../../services/catalog/catalog-events.ts";
import { catalogEventRows } from "../../services/catalog/product-entity.ts";
import { OrderChanges } from "../../services/order/order-changes.ts";
import { orderEventRows, orderSagas } from "../../services/order/order-entity.ts";
import { orderSubscriptions } from "../../services/order/order-events.ts";
import { PlaceOrder } from "../../services/order/place-order.ts";
import type { Store } from "../../store/orm.ts";

/** What an order service is made of beside its store and its neighbours. Its events stay in its outbox. */
export function orderParts(store: Store, clock: Clock = systemClock) {
  const changes = new OrderChanges({ store, clock });
  const { append: publish } = createOutbox({ source: "order", rows: orderEventRows.events, clock });
  const placeOrder = new PlaceOrder({ publish, changes });
  const timers = { store, rows: orderSagas, sagas: [placeOrder.saga], clock };
  return { changes, placeOrder, timers, sagas: sagaService(timers), follows: orderSubscriptions(placeOrder) };
}

/** Whom a catalog follows, and what it does about it. Its events stay in its outbox. */
export function catalogFollows(clock: Clock = systemClock) {
  const { append: publish } = createOutbox({ source: "catalog", rows: catalogEventRows.events, clock });
  return catalogSubscriptions({ publish });
}
