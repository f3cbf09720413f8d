import { expect, test } from "vitest";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { silentLogger } from "../base/log.ts";
import { createOutbox } from "../events/outbox/outbox.ts";
import { staticResolver } from "../mesh/resolve/static.ts";
import { userEventRows as rows, userRows } from "../services/user/user-entity.ts";
import { userOrderSubscription } from "../services/user/user-order-events.ts";
import { openStore } from "../store/orm.ts";
import { openDatabase } from "../testing/open-database.ts";
import { type EventsOptions, openEvents } from "./events.ts";

async function open(options: Partial<EventsOptions>) {
  await using database = await openDatabase();
  await using store = await openStore({ ...userRows, ...database });
  const outbox = createOutbox({ source: "user", rows: rows.events });
  const parts = { name: "user", store, rows, outbox, resolver: staticResolver({}), log: silentLogger };
  await using events = await openEvents({ ...parts, ...options });
  return events.services.map(([{ typeName }]) => typeName);
}

const order = userOrderSubscription();

test("a service has a log and subscriptions, though nobody whom it follows is there yet", async () => {
  const services = await open({ subscriptions: [order], publishers: { order: OrderService } });
  expect(services).toEqual(["heddle.event.v1.EventService", "heddle.event.v1.SubscriptionService"]);
});

test("a source whose endpoints nobody names is an error that names it", async () => {
  await expect(open({ subscriptions: [order] })).rejects.toThrow(/publishers has no "order"/);
});

test("a source that is followed twice is an error that names it", async () => {
  const twice = { subscriptions: [order, order], publishers: { order: OrderService } };
  await expect(open(twice)).rejects.toThrow(/subscriptions name "order" twice/);
});
