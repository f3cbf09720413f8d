import { Code } from "@connectrpc/connect";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SagaState } from "../../../gen/heddle/saga/v1/saga_pb.ts";
import { OrderStatus } from "../../../gen/shop/order/v1/order_pb.ts";
import { startSagaTimers } from "../../events/saga/saga-timers.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { expectError } from "./errors.ts";
import {
  complaintsOf,
  emptyShop,
  mailOf,
  openShop,
  type Sent,
  type Shop,
  sentBy,
  userDeleted,
} from "./placing-parts.ts";

const price = { currencyCode: "EUR", units: 5n, nanos: 0 };

/** What placing an order comes to, in both services, whatever the database and however events travel. */
export function placingSuite(kind: DatabaseKind): void {
  const open = async (stock: Readonly<Record<string, number>> = { ABC: 10, DEF: 5 }) => {
    const shop = await openShop(kind);
    const fill = async (more = stock) => {
      for (const [sku, count] of Object.entries(more)) {
        await shop.catalog.createProduct({ sku, name: sku, description: "", price, stock: count });
      }
    };
    await fill();
    const place = async (items: Readonly<Record<string, number>>, userId = 7n) => {
      const lines = Object.entries(items).map(([sku, qty]) => ({ sku, qty }));
      const { order = expect.fail() } = await shop.order.createOrder({ userId, items: lines });
      return order.id;
    };
    const free = async (sku: string) => (await shop.catalog.getProduct({ sku })).product?.stock;
    const order = async (id: string) => (await shop.order.getOrder({ id })).order;
    const saga = async (id: string) => (await shop.sagas.getSaga({ id })).saga;
    const types = async () => (await sentBy(shop)).map(({ type }) => type.slice(type.lastIndexOf(".") + 1));
    const close = () => shop[Symbol.asyncDispose]();
    return {
      ...shop,
      shop,
      fill,
      place,
      free,
      see: order,
      saga,
      types,
      mail: mailOf(shop),
      [Symbol.asyncDispose]: close,
    };
  };

  test("an order is confirmed when its stock is reserved, which then is sold", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3, DEF: 5 });
    expect(await it.saga(id)).toMatchObject({ state: SagaState.RUNNING, step: "reserve-stock" });
    await it.mail();
    expect(await it.see(id)).toMatchObject({ status: OrderStatus.CONFIRMED, version: 2 });
    expect([await it.free("ABC"), await it.free("DEF")]).toEqual([7, 0]);
    expect(await it.saga(id)).toMatchObject({ state: SagaState.COMPLETED });
    expect(await it.types()).toEqual(["OrderCreated", "OrderConfirmed", "StockReserved"]);
    expect(await complaintsOf(it)).toEqual([]);
  });

  test("an order that there is too little for keeps nothing, and is cancelled with the reason", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3, DEF: 6 });
    await it.mail();
    const cancelReason = "DEF: 5 left, 6 asked for";
    expect(await it.see(id)).toMatchObject({ status: OrderStatus.CANCELLED, cancelReason });
    expect([await it.free("ABC"), await it.free("DEF")]).toEqual([10, 5]);
    expect(await it.saga(id)).toMatchObject({ state: SagaState.COMPENSATED, reason: cancelReason });
    expect(await complaintsOf(it)).toEqual([]);
  });

  test("an order of a product that was deleted meanwhile is cancelled with the reason", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 1 });
    await it.catalog.deleteProduct({ sku: "ABC" });
    await it.mail();
    const cancelReason = "product ABC does not exist";
    expect(await it.see(id)).toMatchObject({ status: OrderStatus.CANCELLED, cancelReason });
  });

  test("a pending order that is cancelled gives back what was reserved, and its saga ends then", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3 });
    const [created = expect.fail()] = await sentBy(it);
    await it.deliver(created);
    expect(await it.free("ABC")).toBe(7);
    await it.order.cancelOrder({ id, reason: "changed my mind" });
    const taken = { state: SagaState.COMPENSATING, step: "release-stock", reason: "changed my mind" };
    expect(await it.saga(id)).toMatchObject(taken);
    await it.mail();
    expect(await it.free("ABC")).toBe(10);
    expect(await it.saga(id)).toMatchObject({ state: SagaState.COMPENSATED, reason: "changed my mind" });
    expect(await complaintsOf(it)).toEqual([]);
  });

  test("a confirmed order that is cancelled gives back what was sold", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3 });
    await it.mail();
    await it.order.cancelOrder({ id });
    expect(await it.saga(id)).toMatchObject({ state: SagaState.COMPENSATING });
    await it.mail();
    expect(await it.free("ABC")).toBe(10);
    expect(await it.saga(id)).toMatchObject({ state: SagaState.COMPENSATED });
    expect(await complaintsOf(it)).toEqual([]);
  });

  test("an order whose cancellation is heard of before its creation keeps nothing", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3 });
    await it.order.cancelOrder({ id });
    const [created = expect.fail(), cancelled = expect.fail()] = await sentBy(it);
    await it.deliver(cancelled);
    await it.deliver(created);
    expect(await it.free("ABC")).toBe(10);
    expect((await it.types()).slice(2)).toEqual(["StockReleased"]);
  });

  test("a cancelled order is told once: cancelling it again publishes nothing", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3 });
    await it.order.cancelOrder({ id });
    await it.order.cancelOrder({ id });
    expect(await it.types()).toEqual(["OrderCreated", "OrderCancelled"]);
  });

  test("stock that does not come in time cancels the order, and stock that comes late is given back", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3 });
    const [created = expect.fail()] = await sentBy(it);
    await it.deliver(created);
    await it.clock.advance(60_000);
    await it.fire();
    const cancelReason = "the stock was not reserved in time";
    expect(await it.see(id)).toMatchObject({ status: OrderStatus.CANCELLED, cancelReason });
    await it.mail();
    expect(await it.free("ABC")).toBe(10);
    expect(await it.saga(id)).toMatchObject({ state: SagaState.COMPENSATED, reason: cancelReason });
    expect(await complaintsOf(it)).toEqual([]);
  });

  test("stock that is not given back in time leaves the saga stuck, until the answer comes or it is tried again", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3 });
    await it.mail();
    await it.order.cancelOrder({ id });
    await it.clock.advance(60_000);
    await it.fire();
    const reason = "release-stock had no answer within 60 s";
    expect(await it.saga(id)).toMatchObject({ state: SagaState.STUCK, step: "release-stock", reason });
    const { saga } = await it.sagas.retrySaga({ id });
    expect(saga).toMatchObject({ state: SagaState.COMPENSATING, reason: "cancelled on request" });
    expect((await it.types()).filter((type) => type === "OrderCancelled")).toHaveLength(2);
    await it.mail();
    expect(await it.saga(id)).toMatchObject({ state: SagaState.COMPENSATED });
    expect(await complaintsOf(it)).toEqual([]);
  });

  test("an order whose saga is taken back by hand is cancelled with the reason that was given", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3 });
    await it.sagas.cancelSaga({ id, reason: "fraud" });
    expect(await it.see(id)).toMatchObject({ status: OrderStatus.CANCELLED, cancelReason: "fraud" });
    await it.mail();
    expect(await it.saga(id)).toMatchObject({ state: SagaState.COMPENSATED });
    expect(await complaintsOf(it)).toEqual([]);
  });

  test("a pending saga that is tried again asks the catalog again, and it answers the same", async () => {
    await using it = await open();
    const ids = [await it.place({ ABC: 3 }), await it.place({ DEF: 6 })];
    for (const each of await sentBy(it)) await it.deliver(each);
    for (const id of ids) await it.sagas.retrySaga({ id });
    await it.mail();
    const answers = (await it.types()).filter((type) => type.startsWith("Stock"));
    const [reserved, rejected] = ["StockReserved", "StockRejected"].map(
      (t) => answers.filter((type) => type === t).length,
    );
    expect([reserved, rejected]).toEqual([3, 3]); // at first, then twice by mail, which brings everything
    expect([await it.free("ABC"), await it.free("DEF")]).toEqual([7, 5]);
    expect(await complaintsOf(it)).toEqual([]);
  });

  test("timers that are looked after cancel what is late, and tell those who follow the order", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3 });
    const told = it.order.watchOrder({ id })[Symbol.asyncIterator]();
    await told.next();
    const next = told.next();
    const status = next.then(({ value }) => value?.order?.status);
    await using _ = startSagaTimers(it.timers);
    const later = () => it.clock.advance(10_000).then(() => Promise.race([status, Promise.resolve()]));
    await expect.poll(later, { interval: 5, timeout: 20_000 }).toBe(OrderStatus.CANCELLED);
    expect((await told.next()).done).toBe(true);
  });

  test("who follows an order is told at once that it is confirmed", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3 });
    const told = it.order.watchOrder({ id })[Symbol.asyncIterator]();
    await told.next();
    const next = told.next();
    await it.mail();
    expect((await next).value?.order?.status).toBe(OrderStatus.CONFIRMED);
    await told.return?.();
  });

  test("the pending orders of a user who is deleted are cancelled, with that reason; others are not", async () => {
    await using it = await open();
    const confirmed = await it.place({ ABC: 1 });
    await it.mail();
    const [pending, others] = [await it.place({ ABC: 2 }), await it.place({ ABC: 1 }, 8n)];
    await it.deliver(userDeleted(7n));
    const cancelReason = "the user was deleted";
    expect(await it.see(pending)).toMatchObject({ status: OrderStatus.CANCELLED, cancelReason });
    expect((await it.see(confirmed))?.status).toBe(OrderStatus.CONFIRMED);
    expect((await it.see(others))?.status).toBe(OrderStatus.PENDING);
    await it.mail();
    expect(await complaintsOf(it)).toEqual([]);
  });

  test("stock that is set anew counts as received or gone, and what is reserved stays so", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3 });
    await it.mail();
    for (const stock of [20, 4]) {
      await it.catalog.updateProduct({ product: { sku: "ABC", stock } });
      expect(await complaintsOf(it)).toEqual([]);
    }
    await it.order.cancelOrder({ id });
    await it.mail();
    expect(await it.free("ABC")).toBe(7);
    expect(await complaintsOf(it)).toEqual([]);
  });

  test("stock leaves room for what may come back: as much as a count holds, and no more", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3 });
    await it.mail();
    const most = 2 ** 31 - 1;
    const refused = { code: Code.InvalidArgument, message: /stock: has to be 2147483644 at most, as 3 are/ };
    await expectError(it.catalog.updateProduct({ product: { sku: "ABC", stock: most } }), refused);
    await it.catalog.updateProduct({ product: { sku: "ABC", stock: most - 3 } });
    await it.order.cancelOrder({ id });
    await it.mail();
    expect(await it.free("ABC")).toBe(most);
    expect(await complaintsOf(it)).toEqual([]);
    const again = await it.place({ ABC: 3 });
    await it.mail();
    await it.catalog.deleteProduct({ sku: "ABC" });
    await expectError(it.fill({ ABC: most }), refused);
    await it.fill({ ABC: most - 3 });
    await it.order.cancelOrder({ id: again });
    await it.mail();
    expect(await it.free("ABC")).toBe(most);
  });

  test("reserving is a change of the product: its version grows, and a change that builds on the one before is ABORTED", async () => {
    await using it = await open();
    const before = (await it.catalog.getProduct({ sku: "ABC" })).product?.version ?? expect.fail();
    await it.place({ ABC: 3 });
    await it.mail();
    const stale = it.catalog.updateProduct({ product: { sku: "ABC", stock: 10, version: before } });
    await expectError(stale, { code: Code.Aborted, reason: "VERSION_CONFLICT" });
  });

  test("a product with reserved stock cannot be deleted; once it is sold it can, and one made anew takes back what was sold", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3 });
    const [created = expect.fail()] = await sentBy(it);
    await it.deliver(created);
    const reserved = { code: Code.FailedPrecondition, reason: "PRODUCT_RESERVED", message: /product ABC is reserved/ };
    await expectError(it.catalog.deleteProduct({ sku: "ABC" }), reserved);
    await it.mail();
    await it.catalog.deleteProduct({ sku: "ABC" });
    await it.fill({ ABC: 2 });
    expect(await complaintsOf(it)).toEqual([]);
    await it.order.cancelOrder({ id });
    await it.mail();
    expect(await it.free("ABC")).toBe(5);
    expect(await complaintsOf(it)).toEqual([]);
  });

  test("what was sold of a product that is gone is no more when the order is cancelled", async () => {
    await using it = await open();
    const id = await it.place({ ABC: 3, DEF: 1 });
    await it.mail();
    await it.catalog.deleteProduct({ sku: "ABC" });
    await it.order.cancelOrder({ id });
    await it.mail();
    expect(await it.free("DEF")).toBe(5);
    expect(await complaintsOf(it)).toEqual([]);
  });

  test("a confirmation whose order was never heard of is refused, not forgotten", async () => {
    await using it = await open();
    await it.place({ ABC: 3 });
    await it.mail();
    const sent = await sentBy(it);
    const confirmed = sent.find(({ type }) => type.endsWith("OrderConfirmed")) ?? expect.fail();
    await using other = await openShop(kind);
    await expectError(other.deliver(confirmed), { code: Code.FailedPrecondition, reason: "RESERVATION_MISSING" });
  });

  test("orders that want the same products at once each get them or nothing", async () => {
    await using it = await open({ A: 30, B: 30, C: 30 });
    const wishes = [
      ["A", "B"],
      ["B", "C"],
      ["C", "A"],
      ["C", "B", "A"],
    ];
    for (let turn = 0; turn < 24; turn++) {
      const wish = wishes[turn % wishes.length] ?? [];
      await it.place(Object.fromEntries(wish.map((sku) => [sku, 2])));
    }
    await Promise.all((await sentBy(it)).map((each) => it.deliver(each)));
    await it.mail();
    expect(await complaintsOf(it)).toEqual([]);
    const left = await Promise.all(["A", "B", "C"].map(it.free));
    for (const each of left) expect(each).toBeLessThan(6);
  });

  test("whatever comes twice, late or in another order: in the end nothing is lost, doubled or left open", async () => {
    await using it = await open({});
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 4, maxLength: 30 }), fc.nat(), async (deeds, seed) => {
        await emptyShop(it);
        await it.fill({ ABC: 6, DEF: 3 });
        await live(it.shop, { deeds, place: it.place });
        await comeToRest(it.shop, seed);
        expect(await complaintsOf(it)).toEqual([]);
      }),
      { numRuns: kind === "sqlite" ? 40 : 20, endOnFailure: true },
    );
  }, 120_000);
}

/** Something that happens, and a number that chooses to what. */
type Deed = readonly [kind: "place" | "cancel" | "deliver" | "deliver-again" | "user-deleted" | "late", pick: number];

const deed: fc.Arbitrary<Deed> = fc.tuple(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant("place" as const) },
    { weight: 2, arbitrary: fc.constant("cancel" as const) },
    { weight: 8, arbitrary: fc.constant("deliver" as const) },
    { weight: 5, arbitrary: fc.constant("deliver-again" as const) },
    { weight: 1, arbitrary: fc.constant("user-deleted" as const) },
    { weight: 1, arbitrary: fc.constant("late" as const) },
  ),
  fc.nat(1_000),
);

const baskets = [{ ABC: 1 }, { ABC: 2, DEF: 1 }, { DEF: 2 }, { ABC: 5 }, { DEF: 3, ABC: 3 }];

interface Life {
  readonly deeds: readonly Deed[];
  place(items: Readonly<Record<string, number>>, userId?: bigint): Promise<string>;
}

/** What was delivered, by the events themselves, as many may look the same. */
const deliveredOf = new WeakMap<Shop, Set<string>>();

async function live(shop: Shop, { deeds, place }: Life): Promise<void> {
  const placed: string[] = [];
  const delivered = new Set<string>();
  deliveredOf.set(shop, delivered);
  for (const [kind, pick] of deeds) {
    if (kind === "place") placed.push(await place(baskets[pick % baskets.length] ?? {}, BigInt(1 + (pick % 2))));
    if (kind === "cancel" && placed.length > 0)
      await shop.order.cancelOrder({ id: placed[pick % placed.length] ?? "" });
    if (kind === "user-deleted") await shop.deliver(userDeleted(BigInt(1 + (pick % 2))));
    if (kind === "late") {
      await shop.clock.advance(60_000);
      await shop.fire();
    }
    if (kind === "deliver" || kind === "deliver-again") {
      const sent = await numbered(shop);
      const choice = sent.filter(({ key }) => delivered.has(key) === (kind === "deliver-again"));
      const one = choice[pick % Math.max(choice.length, 1)];
      if (one) await shop.deliver(one.each);
      if (one) delivered.add(one.key);
    }
  }
}

/** All that has not been delivered is, in an order that `seed` chooses, and half of it twice. */
async function comeToRest(shop: Shop, seed: number): Promise<void> {
  const delivered = deliveredOf.get(shop) ?? new Set();
  for (let turn = seed; ; turn = (turn * 1_103_515_245 + 12_345) % 2 ** 31) {
    const waiting = (await numbered(shop)).filter(({ key }) => !delivered.has(key));
    const one = waiting[turn % Math.max(waiting.length, 1)];
    if (one === undefined) return;
    await shop.deliver(one.each);
    if (turn % 2 === 0) await shop.deliver(one.each);
    delivered.add(one.key);
  }
}

async function numbered(shop: Shop): Promise<{ readonly key: string; readonly each: Sent }[]> {
  const sent = await sentBy(shop);
  const count = { order: 0, catalog: 0 };
  return sent.map((each) => ({ key: `${each.to}/${count[each.to]++}`, each }));
}
