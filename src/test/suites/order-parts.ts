import { createOutbox } from "../../events/outbox.ts";
import { catalogEventRows } from "../../services/catalog/product-entity.ts";
import { OrderChanges } from "../../services/order/order-changes.ts";
import { orderEventRows } from "../../services/order/order-entity.ts";
import { PlaceOrder } from "../../services/order/place-order.ts";
import type { Store } from "../../store/orm.ts";
import type { FakeClock } from "../../testing/fake-clock.ts";

/** What an order service is made of beside its store and its neighbours; its events stay in its outbox. */
export function orderParts(store: Store, clock: FakeClock, sagaTimeoutMs = 60_000) {
  const changes = new OrderChanges({ store, clock });
  const { append: publish } = createOutbox({ source: "order", rows: orderEventRows.events, clock });
  const placeOrder = new PlaceOrder({ publish, changes, sagaTimeoutMs });
  return { changes, placeOrder };
}

/** Where a catalog writes its events. */
export function catalogOutbox(clock: FakeClock) {
  return createOutbox({ source: "catalog", rows: catalogEventRows.events, clock });
}
