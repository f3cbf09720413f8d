import { expect, onTestFailed, test } from "vitest";
import { eventually } from "../../testing/eventually.ts";
import { openEventShop } from "./event-shop.ts";
import { rest } from "./rest.ts";

/** Events that may wait, as far as one replica of two knows. */
const mayWait = 20;

test("while the broker is away orders are accepted as long as their events may wait, then refused; all accepted ones end when it is back", async () => {
  await using shop = await openEventShop("PostgreSQL and RabbitMQ", { EVENT_BACKLOG: String(mayWait) });
  const { broker = expect.fail(), address, userId } = shop;
  onTestFailed(shop.showLogs);
  await shop.listedAs(await shop.order(1), "ORDER_STATUS_CONFIRMED");
  await broker.kill();

  const accepted: Readonly<Record<string, unknown>>[] = [];
  const refused = await eventually(
    "an order is refused",
    async () => {
      const { status, body } = await rest(address, "/v1/orders", { userId, items: [{ sku: "ABC", qty: 1 }] });
      if (status < 300) accepted.push(body);
      return status >= 300 && { status, body };
    },
    { withinMs: 60_000 },
  );
  expect(refused).toMatchObject({ status: 429 });
  expect(JSON.stringify(refused.body)).toMatch(/OUTBOX_FULL/);
  expect(JSON.stringify(refused.body)).toMatch(/see that the broker can be reached; EVENT_BACKLOG says how many may/);
  expect(accepted.length).toBeGreaterThanOrEqual(mayWait - 2); // the events of the one before may be among those that wait
  expect(accepted.length).toBeLessThanOrEqual(2 * mayWait + 1);

  await broker.start();
  for (const order of accepted) {
    expect(await shop.settled(order)).toMatchObject({ status: "ORDER_STATUS_CONFIRMED" });
    await shop.listedAs(order, "ORDER_STATUS_CONFIRMED");
  }
  expect(await shop.settled(await shop.order(1))).toMatchObject({ status: "ORDER_STATUS_CONFIRMED" });
}, 180_000);
