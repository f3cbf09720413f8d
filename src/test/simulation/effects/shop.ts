import { CatalogService } from "../../../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../../gen/shop/user/v1/user_pb.ts";
import { type EventsOptions, openEvents } from "../../../app/events.ts";
import { createOutbox } from "../../../events/outbox/outbox.ts";
import { startSagaTimers } from "../../../events/saga/saga-timers.ts";
import { catalogSubscriptions } from "../../../services/catalog/catalog-events.ts";
import { catalogService } from "../../../services/catalog/catalog-service.ts";
import { catalogEventRows, catalogRows } from "../../../services/catalog/product-entity.ts";
import { OrderChanges } from "../../../services/order/order-changes.ts";
import { orderEventRows, orderRows, orderSagas } from "../../../services/order/order-entity.ts";
import { orderSubscriptions } from "../../../services/order/order-events.ts";
import { orderService } from "../../../services/order/order-service.ts";
import { PlaceOrder } from "../../../services/order/place-order.ts";
import { userEventRows, userRows } from "../../../services/user/user-entity.ts";
import { userOrderSubscription } from "../../../services/user/user-order-events.ts";
import { userService } from "../../../services/user/user-service.ts";
import type { Store } from "../../../store/orm.ts";
import type { Serving } from "../../../testing/sim/replica.ts";
import { openSimStore } from "../../../testing/sim/store.ts";
import type { World } from "../../../testing/sim/world.ts";
import type { ShopFiles } from "./files.ts";

/** The rows of each service. */
export const shopRows = { user: userRows, catalog: catalogRows, order: orderRows } as const;

/** What the services of a world are made with. */
export interface ShopOptions {
  readonly world: World;
  readonly files: ShopFiles;
}

/** The user service in a process of the world, as its main program makes it. */
export function simUser(shop: ShopOptions) {
  return async (on: Serving) => {
    const store = await storeOf(shop, on, "user");
    const outbox = createOutbox({ source: "user", rows: userEventRows.events, clock: on.clock, random: on.random });
    const events = await eventsOf(on, {
      name: "user",
      store,
      rows: userEventRows,
      outbox,
      subscriptions: [userOrderSubscription()],
      publishers: { order: OrderService },
    });
    const users = userService({ store, publish: outbox.append, clock: on.clock });
    return [[UserService, users], ...events.services] as const;
  };
}

/** The catalog. */
export function simCatalog(shop: ShopOptions) {
  return async (on: Serving) => {
    const store = await storeOf(shop, on, "catalog");
    const { clock, random } = on;
    const outbox = createOutbox({ source: "catalog", rows: catalogEventRows.events, clock, random });
    const events = await eventsOf(on, {
      name: "catalog",
      store,
      rows: catalogEventRows,
      outbox,
      subscriptions: catalogSubscriptions({ publish: outbox.append }),
      publishers: { order: OrderService },
    });
    return [[CatalogService, catalogService({ store, clock })], ...events.services] as const;
  };
}

/** The order service, with the timers of its sagas. */
export function simOrder(shop: ShopOptions) {
  return async (on: Serving) => {
    const store = await storeOf(shop, on, "order");
    const { clock, random, log, mesh } = on;
    const outbox = createOutbox({ source: "order", rows: orderEventRows.events, clock, random });
    const changes = new OrderChanges({ store, clock, log });
    const placeOrder = new PlaceOrder({ publish: outbox.append, changes });
    const events = await eventsOf(on, {
      name: "order",
      store,
      rows: orderEventRows,
      outbox,
      subscriptions: orderSubscriptions(placeOrder),
      publishers: { catalog: CatalogService, user: UserService },
    });
    on.closing.use(startSagaTimers({ store, rows: orderSagas, sagas: [placeOrder.saga], clock, log }));
    const [users, catalog] = [mesh.client(UserService), mesh.client(CatalogService)];
    const orders = orderService({ store, users, catalog, placeOrder, clock, random });
    return [[OrderService, orders], ...events.services] as const;
  };
}

/** Opened while the world stands still: MikroORM reads files of its own. */
async function storeOf(
  { world, files }: ShopOptions,
  { node, closing }: Serving,
  name: keyof ShopFiles,
): Promise<Store> {
  const { timeline } = world;
  const options = { ...shopRows[name], file: files[name], node, timeline };
  return closing.use(await timeline.outside(() => openSimStore(options)));
}

async function eventsOf(on: Serving, options: Omit<EventsOptions, "resolver">) {
  const { mesh, node, clock, random, log, closing } = on;
  const meshOptions = { engine: node.engine };
  return closing.use(await openEvents({ ...options, resolver: mesh.resolver, meshOptions, clock, random, log }));
}
