import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { eventually } from "../../testing/eventually.ts";
import { type EventShop, openEventShop } from "./event-shop.ts";
import type { StackName } from "./event-stack.ts";
import { rest, restOk } from "./rest.ts";

const confirmed = "ORDER_STATUS_CONFIRMED";
const cancelled = "ORDER_STATUS_CANCELLED";

describe.each<StackName>(["SQLite and streams", "PostgreSQL and RabbitMQ"])("on %s", (stack) => {
  let shop: EventShop;
  beforeAll(async () => {
    shop = await openEventShop(stack);
  });
  afterAll(() => shop?.[Symbol.asyncDispose]());

  test("an order is created pending, is confirmed, takes its stock, and is in its user's list", async () => {
    onTestFailed(shop.showLogs);
    const before = await shop.stock();
    const created = await shop.order(2);
    expect(created).toMatchObject({ status: "ORDER_STATUS_PENDING", version: 1 });
    expect(await shop.settled(created)).toMatchObject({ status: confirmed, version: 2 });
    expect(await shop.stock()).toBe(before - 2);
    const listed = await shop.listedAs(created, confirmed);
    expect(listed).toMatchObject({ total: created.total, itemCount: 1, version: 2, createdAt: created.createdAt });
  });

  test("an order beyond the stock is cancelled with the reason, and takes none of it", async () => {
    onTestFailed(shop.showLogs);
    const before = await shop.stock();
    const order = await shop.settled(await shop.order(before + 1));
    expect(order).toMatchObject({ status: cancelled, version: 2 });
    expect(order.cancelReason).toBe(`ABC: ${before} left, ${before + 1} asked for`);
    await shop.listedAs(order, cancelled);
    expect(await shop.stock()).toBe(before);
  });

  test("a confirmed order that is cancelled gives its stock back", async () => {
    onTestFailed(shop.showLogs);
    const before = await shop.stock();
    const order = await shop.settled(await shop.order(3));
    await shop.cancel(order);
    await eventually("the stock is back", async () => (await shop.stock()) === before);
    await shop.listedAs(order, cancelled);
  });

  test("what happens to orders while catalog and users are away reaches them when they are back", async () => {
    onTestFailed(shop.showLogs);
    const { cluster } = shop;
    const before = await shop.stock();
    const orders = await shop.orderTimes(10);
    for (const order of orders) expect(await shop.settled(order)).toMatchObject({ status: confirmed });
    const away = [cluster.replica("catalog"), cluster.replica("user", 0), cluster.replica("user", 1)];
    await Promise.all(away.map((replica) => replica.kill()));
    for (const order of orders) expect(await shop.cancel(order)).toMatchObject({ status: cancelled });
    expect((await rest(shop.address, `/v1/users/${shop.userId}`)).status).toBe(503);
    await Promise.all(away.map((replica) => replica.start()));
    await eventually("the stock is back", async () => (await shop.stock()) === before, { withinMs: 60_000 });
    for (const order of orders) await shop.listedAs(order, cancelled);
    expect(await shop.settled(await shop.order(1))).toMatchObject({ status: confirmed });
  });

  test("a replica that dies leaves its share to the other", async () => {
    onTestFailed(shop.showLogs);
    const dying = [shop.cluster.replica("order", 0), shop.cluster.replica("user", 0)];
    await Promise.all(dying.map((replica) => replica.kill()));
    for (const order of await shop.orderTimes(10)) {
      expect(await shop.settled(order)).toMatchObject({ status: confirmed });
      await shop.listedAs(order, confirmed);
    }
    await Promise.all(dying.map((replica) => replica.start()));
  });

  test("a user is deleted, the orders stay, and their list is gone with the user", async () => {
    onTestFailed(shop.showLogs);
    const { address, userId } = shop;
    const order = await shop.settled(await shop.order(1));
    await shop.listedAs(order, confirmed);
    const deletion = await fetch(`http://${address}/v1/users/${userId}?force=true`, { method: "DELETE" });
    expect(deletion.status).toBe(200);
    expect((await rest(address, `/v1/users/${userId}/order-list`)).status).toBe(404);
    expect(await restOk(address, `/v1/orders/${order.id}`)).toMatchObject({ status: confirmed });
  });
});
