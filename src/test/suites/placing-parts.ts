import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect } from "vitest";
import { EventSchema } from "../../../gen/heddle/event/v1/event_pb.ts";
import { SagaService } from "../../../gen/heddle/saga/v1/saga_pb.ts";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserDeletedSchema } from "../../../gen/shop/user/v1/events_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { eventPolicy } from "../../events/event-policy.ts";
import type { Subscription } from "../../events/handler.ts";
import { fireDue } from "../../events/saga/saga-timers.ts";
import { catalogService } from "../../services/catalog/catalog-service.ts";
import { catalogEventRows, catalogRows, Product } from "../../services/catalog/product-entity.ts";
import { Reservation } from "../../services/catalog/reservation-entity.ts";
import { Order, orderEventRows, orderRows, orderSagas } from "../../services/order/order-entity.ts";
import { orderService } from "../../services/order/order-service.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { openStore, type Store } from "../../store/orm.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { clientOf } from "./open-service.ts";
import { catalogFollows, orderParts } from "./order-parts.ts";

/** An event on its way to one of the services. */
export interface Sent {
  readonly to: "order" | "catalog";
  readonly source: string;
  readonly type: string;
  readonly data: Uint8Array;
  readonly subject: string;
}

/** One of the services: its rows, and whom it follows. */
interface Side {
  readonly store: Store;
  readonly follows: readonly Subscription[];
}

/** An order service and a catalog over databases of their own; their events go nowhere until a test delivers them. */
export async function openShop(kind: DatabaseKind) {
  const clock = fakeClock();
  const databases = [await openDatabase(kind), await openDatabase(kind)] as const;
  const orders = await openStore({ ...orderRows, ...databases[0] });
  const products = await openStore({ ...catalogRows, ...databases[1] });
  const catalog = clientOf(CatalogService, catalogService({ store: products, clock }));
  const users = clientOf(UserService, { getUser: async ({ id }) => ({ user: { id } }) });
  const { placeOrder, timers, sagas, follows } = orderParts(orders, clock);
  const order = clientOf(OrderService, orderService({ store: orders, users, catalog, placeOrder, clock }));
  const sides: Readonly<Record<Sent["to"], Side>> = {
    order: { store: orders, follows },
    catalog: { store: products, follows: catalogFollows(clock) },
  };
  return {
    clock,
    orders,
    products,
    catalog,
    order,
    sagas: clientOf(SagaService, sagas),
    timers,
    deliver: (sent: Sent) => deliver(sides[sent.to], sent, clock.wall()),
    fire: () => fireDue(timers),
    async [Symbol.asyncDispose]() {
      await orders[Symbol.asyncDispose]();
      await products[Symbol.asyncDispose]();
      for (const database of databases) await database[Symbol.asyncDispose]();
    },
  };
}

/** What `openShop` opens. */
export type Shop = Awaited<ReturnType<typeof openShop>>;

/** Hands an event to its handlers as an inbox does, but whether or not it has come before. */
async function deliver(side: Side, { source, type, data }: Sent, now: number): Promise<void> {
  const { handlers } = side.follows.find((each) => each.source === source) ?? expect.fail();
  for (const { schema, handle } of handlers) {
    if (eventPolicy(schema).type !== type) continue;
    const event = create(EventSchema, { source, type, data });
    await side.store.unit(async (em) => {
      const own = em.fork({ keepTransactionContext: true });
      await handle(fromBinary(schema, data) as never, { em: own, event, now });
      await own.flush();
    });
  }
}

/** Takes everything out of the shop, for the next round. */
export async function emptyShop({ orders, products }: Pick<Shop, "orders" | "products">): Promise<void> {
  await orders.unit(async (em) => {
    for (const rows of [Order, orderSagas, orderEventRows.events]) await em.nativeDelete(rows as typeof Order, {});
  });
  await products.unit(async (em) => {
    for (const rows of [Product, Reservation, catalogEventRows.events])
      await em.nativeDelete(rows as typeof Product, {});
  });
}

/** All that both services have published so far, in order, each to who follows it. */
export async function sentBy({ orders, products }: Pick<Shop, "orders" | "products">): Promise<Sent[]> {
  const [byOrder, byCatalog] = await Promise.all([
    orders.read((em) => em.find(orderEventRows.events, {}, { orderBy: { seq: "asc" } })),
    products.read((em) => em.find(catalogEventRows.events, {}, { orderBy: { seq: "asc" } })),
  ]);
  const sent = (to: Sent["to"], source: string) => (row: (typeof byOrder)[number] | (typeof byCatalog)[number]) => {
    return { to, source, type: row.type, data: new Uint8Array(row.data), subject: row.subject };
  };
  return [...byOrder.map(sent("catalog", "order")), ...byCatalog.map(sent("order", "catalog"))];
}

/** Delivers all that was not delivered yet, in order, and what comes of it, until nothing comes any more. */
export function mailOf(shop: Shop) {
  let delivered = 0;
  const seen = { order: 0, catalog: 0 };
  return async () => {
    for (let more = true; more; ) {
      const sent = await sentBy(shop);
      const fresh = (["catalog", "order"] as const).flatMap((to) =>
        sent.filter((each) => each.to === to).slice(seen[to]),
      );
      more = fresh.length > 0;
      for (const each of fresh) {
        await shop.deliver(each);
        seen[each.to]++;
        delivered++;
      }
    }
    return delivered;
  };
}

/** That a user was deleted, as the user service says it. */
export function userDeleted(id: bigint): Sent {
  const data = toBinary(UserDeletedSchema, create(UserDeletedSchema, { id }));
  return { to: "order", source: "user", type: "shop.user.v1.UserDeleted", data, subject: String(id) };
}

/** What is wrong with the data of the shop when all is at rest: nothing, if it is as it should be. */
export async function complaintsOf({ orders, products }: Pick<Shop, "orders" | "products">): Promise<string[]> {
  const [stock, kept] = await products.read(
    async (em) => [await em.find(Product, {}), await em.find(Reservation, {})] as const,
  );
  const [placed, sagas] = await orders.read(
    async (em) => [await em.find(Order, {}), await em.find(orderSagas, {})] as const,
  );
  const counted = stock.flatMap(({ sku, stock: free, received }) => {
    const held = kept.filter((row) => row.sku === sku && (row.state === "reserved" || row.state === "sold"));
    const taken = held.reduce((sum, { qty }) => sum + qty, 0);
    return free >= 0 && free + taken === received ? [] : [`${sku}: ${free} free + ${taken} taken is not ${received}`];
  });
  const agreed = placed.flatMap(({ id, status, lines }) => {
    const rows = kept.filter(({ orderId }) => orderId === id);
    const sold = rows.filter(({ state }) => state === "sold").map(({ sku, qty }) => `${sku}=${qty}`);
    const ordered = lines.map(({ sku, qty }) => `${sku}=${qty}`);
    const agree =
      status === "confirmed"
        ? sold.toSorted().join() === ordered.toSorted().join() && rows.length === sold.length
        : status === "cancelled" &&
          rows.length > 0 &&
          rows.every(({ state }) => state === "released" || state === "rejected");
    return agree ? [] : [`order ${id} is ${status}, its stock ${rows.map(({ state }) => state).join()}`];
  });
  const open = placed.flatMap(({ id, status }) => {
    const state = sagas.find((saga) => saga.id === id)?.state ?? "missing";
    const right = status === "confirmed" ? state === "completed" : state === "compensated";
    return right ? [] : [`the saga of order ${id}, ${status}, is ${state}`];
  });
  return [...counted, ...agreed, ...open];
}
