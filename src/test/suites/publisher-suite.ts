import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import type { SubscribeResponse } from "../../../gen/heddle/event/v1/event_service_pb.ts";
import { OrderCreatedSchema } from "../../../gen/shop/order/v1/events_pb.ts";
import { OrderSchema } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserDeletedSchema } from "../../../gen/shop/user/v1/events_pb.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { runInCall } from "../../call/context.ts";
import type { EventHooks } from "../../events/hooks.ts";
import { allSlots, slotOf } from "../../events/slots.ts";
import { orderEventRows } from "../../services/order/order-entity.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { eventually } from "../../testing/eventually.ts";
import { type FakeClock, fakeClock } from "../../testing/fake-clock.ts";
import { expectError } from "./errors.ts";
import { type OpenReplica, openPublishers, publishOrder, shown } from "./publisher-parts.ts";

/** What a log without a broker promises, whatever the database. */
export function publisherSuite(kind: DatabaseKind): void {
  test("what commits is published once, with all that was said of it; what is rolled back never is", async () => {
    await using shop = await openPublishers(kind);
    const replica = await shop.open();
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const failing = replica.store.unit(async (em) => {
      await replica.outbox.append(em, OrderCreatedSchema, { order: { id: "never" } });
      throw new Error("the unit fails");
    });
    await expect(failing).rejects.toThrow("the unit fails");
    await runInCall({ traceparent }, () => publishOrder(replica, "o-1", "why not"));
    const [event = expect.fail()] = await first(replica, 1);
    expect(event).toMatchObject({
      source: "order",
      type: "shop.order.v1.OrderCreated",
      subject: "o-1",
      dataContentType: "application/protobuf",
      dataSchema: "shop.order.v1.OrderCreated",
      version: 1,
      traceParent: traceparent,
      position: 1n,
      slot: slotOf("o-1"),
    });
    expect(event.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(shown(event)).toBe("o-1/why not");
    expect((await eventsOf(replica).listEvents({})).events).toHaveLength(1);
  });

  test("two relays on one database give each position once, without gaps, each subject's in order of commit", async () => {
    await using shop = await openPublishers(kind);
    const replicas = [await shop.open(), await shop.open()];
    const count = 200;
    const turns = Array.from({ length: count }, (_, turn) => turn);
    const perSubject = replicas.flatMap((replica, which) =>
      ["a", "b"].map(async (name) => {
        for (const turn of turns) await publishOrder(replica, `${name}${which}`, String(turn));
      }),
    );
    await Promise.all(perSubject);
    const events = await first(replicas[1] ?? expect.fail(), 4 * count);
    expect(events.map(({ position }) => Number(position))).toEqual(events.map((_, index) => index + 1));
    for (const subject of ["a0", "b0", "a1", "b1"]) {
      const told = events.filter((event) => event.subject === subject).map(shown);
      expect(told).toEqual(turns.map((turn) => `${subject}/${turn}`));
    }
  });

  test("what a replica left behind that died after its commit is published by another", async () => {
    await using shop = await openPublishers(kind);
    const living = await shop.open();
    await publishOrder(await shop.open({ publishes: false }), "o-1");
    expect((await first(living, 1)).map(shown)).toEqual(["o-1/"]);
  });

  test("a subscriber goes on where it was, in the slots and types that it asks for", async () => {
    await using shop = await openPublishers(kind);
    const replica = await shop.open();
    for (const name of names) await publishOrder(replica, name);
    await replica.store.unit((em) => replica.outbox.append(em, UserDeletedSchema, { id: 5n }));
    const all = await first(replica, names.length + 1);
    const rest = await first(replica, 4, { after: all.at(-5)?.position ?? 0n });
    expect(rest).toEqual(all.slice(-4));
    const slot = slotOf("n3");
    const ofSlot = all.filter((event) => event.slot === slot && event.type.startsWith("shop.order"));
    expect(ofSlot.length).toBeLessThan(all.length / 2);
    const types = ["shop.order.v1.OrderCreated"];
    expect(await first(replica, ofSlot.length, { slots: [slot], types })).toEqual(ofSlot);
    const [deleted] = await first(replica, 1, { types: ["shop.user.v1.UserDeleted"] });
    expect(deleted).toMatchObject({ subject: "5", position: BigInt(all.length) });
  });

  test("each slot is read after its own cursor", async () => {
    await using shop = await openPublishers(kind);
    const replica = await shop.open();
    for (const name of names) await publishOrder(replica, name);
    const all = await first(replica, names.length);
    const cursors = allSlots.map((slot) => ({ slot, after: slot % 2 === 0 ? 0n : 20n }));
    const wanted = all.filter(({ slot, position }) => slot % 2 === 0 || position > 20n);
    expect(await take(replica, { subscriber: "test", cursors }, wanted.length)).toEqual(wanted);
  });

  test("types that nobody asked for are passed by, however many", async () => {
    await using shop = await openPublishers(kind);
    const replica = await shop.open();
    await publishMany(replica, 6_000);
    await replica.store.unit((em) => replica.outbox.append(em, UserDeletedSchema, { id: 5n }));
    const [event] = await first(replica, 1, { types: ["shop.user.v1.UserDeleted"] });
    expect(event?.position).toBe(6_001n);
  });

  test("own commits arrive without a look at the database: no timer of one is due", async () => {
    await using shop = await openPublishers(kind);
    const clock = fakeClock();
    const replica = await shop.open({ clock });
    await using stream = await follow(replica);
    await publishOrder(replica, "o-0");
    expect((await whileMoving(clock, stream.next())).map(shown)).toEqual(["o-0/"]);
    const publishedAt = clock.now();
    await publishOrder(replica, "o-1");
    expect((await whileMoving(clock, stream.next(), 1)).map(shown)).toEqual(["o-1/"]);
    expect(clock.now() - publishedAt).toBeLessThan(50); // when the database would be looked at
  });

  test("what another replica publishes arrives, too", async () => {
    await using shop = await openPublishers(kind);
    const [one, other] = [await shop.open(), await shop.open()];
    await using stream = await follow(one);
    await publishOrder(other, "o-1");
    expect((await stream.next()).map(shown)).toEqual(["o-1/"]);
  });

  test("a subscriber that does not read holds nobody else up, and reads all when it does", async () => {
    await using shop = await openPublishers(kind);
    const replica = await shop.open();
    await using slow = await follow(replica);
    await using quick = await follow(replica);
    await publishOrder(replica, "first");
    expect((await slow.next()).map(shown)).toEqual(["first/"]);
    await publishMany(replica, 3_000);
    for (let seen = 0; seen < 3_001; ) seen += (await quick.next()).length;
    const late: string[] = [];
    while (late.length < 3_000) late.push(...(await slow.next()).map(({ subject }) => subject));
    expect(late).toEqual(Array.from({ length: 3_000 }, (_, index) => `m${index}`));
  });

  test("large events come in messages that are not too large", async () => {
    await using shop = await openPublishers(kind);
    const replica = await shop.open();
    for (let event = 0; event < 8; event++) await publishOrder(replica, `o-${event}`, "x".repeat(500_000));
    await first(replica, 8);
    const sizes: number[] = [];
    await using stream = await follow(replica);
    for (let seen = 0; seen < 8; seen += sizes.at(-1) ?? 0) sizes.push((await stream.next()).length);
    expect(Math.max(...sizes)).toBe(2);
  });

  test("a cursor that does not lie in the log is OUT_OF_RANGE, also when the log shrinks under a stream", async () => {
    await using shop = await openPublishers(kind);
    const replica = await shop.open();
    for (const name of names) await publishOrder(replica, name);
    await using stream = await follow(replica);
    for (let seen = 0; seen < names.length; ) seen += (await stream.next()).length;
    const beyond = {
      code: Code.OutOfRange,
      reason: "CURSOR_BEYOND_END",
      message: /order ends at 40, before the cursor 41/,
    };
    await expectError(first(replica, 1, { after: 41n }), beyond);
    const { events } = orderEventRows;
    await replica.store.unit((em) => em.nativeDelete(events, { position: { $gt: 35n } }));
    await expectError(stream.next(), { code: Code.OutOfRange, reason: "CURSOR_BEYOND_END" });
    await replica.store.unit((em) => em.nativeDelete(events, { position: { $lt: 10n } }));
    const before = { code: Code.OutOfRange, reason: "CURSOR_BEFORE_BEGINNING", message: /begins at 10/ };
    await expectError(first(replica, 1, { after: 8n }), before);
    expect((await first(replica, 26, { after: 9n })).map(({ position }) => position)).toHaveLength(26);
    await publishOrder(replica, "new");
    expect((await first(replica, 1, { after: 35n })).map(shown)).toEqual(["new/"]); // not what was at 36 before
    const twice = { subscriber: "test", cursors: [{ slot: 1 }, { slot: 1 }] };
    await expectError(take(replica, twice, 1), { code: Code.InvalidArgument, fields: ["cursors"] });
  });

  test("lists show the newest first, page by page, by type, subject and state, without payload; one event comes with it", async () => {
    await using shop = await openPublishers(kind);
    const replica = await shop.open();
    for (const name of names) await publishOrder(replica, name);
    await first(replica, names.length);
    const list = eventsOf(replica).listEvents;
    const one = await list({ pageSize: 30 });
    const two = await list({ pageSize: 30, pageToken: one.nextPageToken });
    expect([...one.events, ...two.events].map(({ subject }) => subject)).toEqual([...names].reverse());
    expect(two.nextPageToken).toBe("");
    expect(one.events[0]?.data).toHaveLength(0);
    expect((await list({ subject: "n3" })).events.map(({ subject }) => subject)).toEqual(["n3"]);
    expect((await list({ type: "shop.order.v1.OrderConfirmed" })).events).toEqual([]);
    expect((await list({ unpublished: true })).events).toEqual([]);
    const { event } = await eventsOf(replica).getEvent({ id: one.events[0]?.id ?? "" });
    expect(event && shown(event)).toBe("n39/");
    await expectError(eventsOf(replica).getEvent({ id: "none" }), { code: Code.NotFound, reason: "EVENT_NOT_FOUND" });
    const noBroker = { code: Code.FailedPrecondition, reason: "NO_BROKER" };
    await expectError(eventsOf(replica).resendEvents({ fromPosition: 1n }), noBroker);
  });

  test("a subscriber hears of nothing, too: an empty message says that it has been told all up to the end", async () => {
    await using shop = await openPublishers(kind);
    const clock = fakeClock();
    const replica = await shop.open({ clock });
    await publishOrder(replica, "o-1");
    await whileMoving(clock, first(replica, 1));
    const gone = new AbortController();
    const stream = eventsOf(replica).subscribe(ask({ types: ["none"] }), { signal: gone.signal });
    const { value } = await whileMoving(clock, stream[Symbol.asyncIterator]().next());
    expect(value).toMatchObject({ events: [], endPosition: 1n });
    gone.abort();
  });

  test("who wants nothing of all that comes hears how far it has been told, at least each five seconds", async () => {
    await using shop = await openPublishers(kind);
    const clock = fakeClock();
    const replica = await shop.open({ clock });
    const gone = new AbortController();
    const stream = eventsOf(replica).subscribe(ask({ types: ["none"] }), { signal: gone.signal });
    const heard = stream[Symbol.asyncIterator]().next();
    const steady = { goesOn: true };
    void heard.finally(() => {
      steady.goesOn = false;
    });
    let count = 0n;
    for (; steady.goesOn && count < 40n; count++) {
      await publishOrder(replica, `o-${count}`);
      await eventually("it is published", async () => {
        await clock.advance(500);
        return (await eventsOf(replica).getEventLog({})).endPosition > count;
      });
    }
    expect(count).toBeLessThan(40n);
    const { value } = await heard;
    expect(value).toMatchObject({ events: [] });
    expect(value?.endPosition).toBeGreaterThan(0n);
    gone.abort();
  });

  test("what cannot be published is refused before it is written, with what is wrong", async () => {
    await using shop = await openPublishers(kind);
    const replica = await shop.open();
    const refused = { code: Code.InvalidArgument, reason: "EVENT_SUBJECT_INVALID" };
    await expectError(publishOrder(replica, ""), { ...refused, message: /OrderCreated.*key, is empty/ });
    await expectError(publishOrder(replica, "x".repeat(201)), { ...refused, message: /longer than 200/ });
    await expectError(publishOrder(replica, "a\0b"), { ...refused, message: /U\+0000/ });
    const large = publishOrder(replica, "o-1", "x".repeat(1_048_576));
    await expectError(large, { code: Code.InvalidArgument, reason: "EVENT_TOO_LARGE", message: /1048576 is the most/ });
    const noEvent = replica.store.unit((em) => replica.outbox.append(em, OrderSchema, { id: "o-1" }));
    await expect(noEvent).rejects.toThrow(/shop.order.v1.Order is no event: declare/);
    expect((await eventsOf(replica).listEvents({})).events).toEqual([]);
  });

  test("a calendar that is set back changes no order and loses nothing", async () => {
    await using shop = await openPublishers(kind);
    const replica = await shop.open({ clock: jumping() });
    for (const name of names) await publishOrder(replica, name);
    const events = await first(replica, names.length);
    expect(events.map(({ subject }) => subject)).toEqual(names);
    expect(Number(events.at(-1)?.time?.seconds)).toBeLessThan(Number(events[0]?.time?.seconds));
  });

  test("who measures is told what is published, how long after, and what waits", async () => {
    await using shop = await openPublishers(kind);
    const told: string[] = [];
    let backlog = -1;
    const hooks: EventHooks = {
      backlog: (count) => {
        backlog = count;
      },
      published: ({ type, transport, delayMs }) => told.push(`${type} ${transport} ${delayMs >= 0}`),
    };
    const replica = await shop.open({ hooks });
    await publishOrder(replica, "o-1");
    await first(replica, 1);
    expect(told).toEqual(["shop.order.v1.OrderCreated stream true"]);
    expect(backlog).toBe(0);
  });
}

/** A clock whose calendar goes back by an hour with each look at it. */
function jumping(): Clock {
  let jumps = 0;
  return { ...systemClock, wall: () => systemClock.wall() - 3_600_000 * jumps++ };
}

/** What a promise comes to, while time goes on by so much at once. */
async function whileMoving<T>(clock: FakeClock, promise: Promise<T>, stepMs = 500): Promise<T> {
  let settled = false;
  void promise
    .catch(() => {})
    .finally(() => {
      settled = true;
    });
  await eventually("it comes", async () => {
    await clock.advance(stepMs);
    return settled;
  });
  return promise;
}

const names = Array.from({ length: 40 }, (_, index) => `n${index}`);

function eventsOf({ events = expect.fail("it does not publish") }: OpenReplica) {
  return events;
}

/** Publishes many events in one unit, m0, m1, … */
async function publishMany({ store, outbox }: OpenReplica, count: number): Promise<void> {
  await store.unit(async (em) => {
    for (let index = 0; index < count; index++)
      await outbox.append(em, OrderCreatedSchema, { order: { id: `m${index}` } });
  });
}

interface Ask {
  readonly slots?: readonly number[];
  readonly after?: bigint;
  readonly types?: string[];
}

function ask({ slots = allSlots, after = 0n, types = [] }: Ask) {
  return { subscriber: "test", types, cursors: slots.map((slot) => ({ slot, after })) };
}

/** The first events of a subscription. */
function first(replica: OpenReplica, count: number, asked: Ask = {}) {
  return take(replica, ask(asked), count);
}

async function take(
  replica: OpenReplica,
  request: Parameters<ReturnType<typeof eventsOf>["subscribe"]>[0],
  count: number,
) {
  const gone = new AbortController();
  const seen: SubscribeResponse["events"] = [];
  try {
    for await (const { events } of eventsOf(replica).subscribe(request, { signal: gone.signal })) {
      seen.push(...events);
      if (seen.length >= count) return seen;
    }
  } finally {
    gone.abort();
  }
  return seen;
}

/** A subscription to everything, read by hand: each `next` is a message that has events. */
async function follow(replica: OpenReplica) {
  const gone = new AbortController();
  const stream = eventsOf(replica).subscribe(ask({}), { signal: gone.signal })[Symbol.asyncIterator]();
  return {
    async next() {
      for (;;) {
        const { value, done } = await stream.next();
        if (done) throw new Error("the stream has ended");
        if (value.events.length > 0) return value.events as SubscribeResponse["events"];
      }
    },
    async [Symbol.asyncDispose]() {
      gone.abort();
    },
  };
}
