import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ParkedState, SubscriptionService } from "../../../gen/heddle/event/v1/subscription_service_pb.ts";
import { systemClock } from "../../base/clock.ts";
import { Watchable } from "../../base/watch.ts";
import { Subscriber } from "../../events/follow/subscriber.ts";
import { subscriptionService } from "../../events/follow/subscription-service.ts";
import { allSlots } from "../../events/slots.ts";
import { userEventRows } from "../../services/user/user-entity.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { expectError } from "./errors.ts";
import {
  bySubject,
  emptied,
  inTime,
  openReaders,
  orderEvent,
  type Reader,
  type Trouble,
  writers,
  written,
} from "./inbox-parts.ts";
import { clientOf } from "./open-service.ts";
import { WrittenLog } from "./written-log.ts";

const source = "order";

interface FollowerOptions {
  readonly transport?: "stream" | "amqp";
  readonly trouble?: Trouble;
  readonly clear?: typeof emptied;
}

/** Replicas of a service that follows orders, the way given, and a client of what it tells of that. */
async function openFollower(
  kind: DatabaseKind,
  { transport = "stream", trouble, clear = emptied }: FollowerOptions = {},
) {
  const readers = await openReaders(kind, trouble && { trouble });
  const log = new WrittenLog();
  const open = (reader: Reader) => {
    const { takeIn, known, store } = reader;
    const { clock, log: lines } = readers;
    const follower = { source, subscriber: "user", types: known.types(source), cursors: userEventRows.cursors };
    const held = new Watchable<ReadonlySet<number>>(new Set(allSlots));
    const besideBroker = transport === "amqp";
    const { client } = log;
    return new Subscriber({
      ...follower,
      client,
      store,
      takeIn,
      clock,
      log: lines,
      held,
      besideBroker,
      random: () => 1,
    });
  };
  const { reader } = readers;
  const subscriber = open(reader);
  const view = { source, handlers: writers(), clear };
  const more = { source: "catalog", handlers: [] };
  const endPosition = () => subscriber.endPosition;
  const sources = [
    { subscription: view, transport, client: log.client, ...(transport === "stream" && { endPosition }) },
    { subscription: more, transport, client: log.client },
  ];
  const client = clientOf(SubscriptionService, subscriptionService({ inbox: reader, rows: userEventRows, sources }));
  return {
    readers,
    reader,
    log,
    client,
    open,
    seen: () => written(reader.store),
    async [Symbol.asyncDispose]() {
      await subscriber[Symbol.asyncDispose]();
      await readers[Symbol.asyncDispose]();
    },
  };
}

/** Fails for what is among them. */
const failsFor =
  (bad: ReadonlySet<string>): Trouble =>
  (what) => {
    if (bad.has(what)) throw new Error(`${what} is too much`);
  };

/** What a service tells of whom it follows, and what may be done about what it could not take in. */
export function subscriptionSuite(kind: DatabaseKind): void {
  test("whom it follows is told, with how far it has come and what waits", async () => {
    await using it = await openFollower(kind, { trouble: failsFor(new Set(["created b"])) });
    it.log.append(orderEvent("created", "a"), orderEvent("created", "b"), orderEvent("created", "c"));
    const first = async () => (await it.client.listSubscriptions({})).subscriptions[0];
    await inTime(it.readers.clock, "all is read", async () => (await first())?.position === 3n);
    expect(await first()).toMatchObject({ source, transport: "stream", endPosition: 3n, rebuildable: true });
    expect((await first())?.types).toContain("shop.order.v1.OrderCreated");
    await inTime(it.readers.clock, "it is dead", async () => (await first())?.dead === 1n);
    expect(await first()).toMatchObject({ waiting: 0n, dead: 1n });
    const [, second] = (await it.client.listSubscriptions({})).subscriptions;
    expect(second).toMatchObject({ source: "catalog", position: 0n, rebuildable: false });
  });

  test("what could not be handled is listed page by page, by state, without payload; one is shown with it", async () => {
    await using it = await openFollower(kind, { trouble: failsFor(new Set(["created a", "created b", "created c"])) });
    const events = ["a", "b", "c"].map((subject) => orderEvent("created", subject));
    await it.reader.takeIn({ source, events });
    const page = await it.client.listParkedEvents({ pageSize: 2 });
    const rest = await it.client.listParkedEvents({ pageSize: 2, pageToken: page.nextPageToken });
    const all = [...page.parkedEvents, ...rest.parkedEvents];
    expect(all.map(({ event }) => event?.id)).toEqual(events.map(({ id }) => id));
    expect(all.every(({ event }) => event?.data.length === 0)).toBe(true);
    expect(rest.nextPageToken).toBe("");
    expect((await it.client.listParkedEvents({ state: ParkedState.DEAD })).parkedEvents).toEqual([]);
    const id = events[1]?.id ?? "";
    const { parkedEvent } = await it.client.getParkedEvent({ id });
    expect(parkedEvent).toMatchObject({ attempts: 1, reason: "created b is too much", state: ParkedState.WAITING });
    expect(parkedEvent?.event?.data).toEqual(events[1]?.data);
    const missing = { code: Code.NotFound, reason: "PARKED_EVENT_NOT_FOUND" };
    await expectError(it.client.getParkedEvent({ id: "nobody" }), missing);
    await expectError(it.client.replayParkedEvent({ id: "nobody" }), missing);
    await expectError(it.client.skipParkedEvent({ id: "nobody" }), missing);
  });

  test("a dead letter is handled by a replay once the handler is mended, and once only", async () => {
    const bad = new Set(["created a"]);
    await using it = await openFollower(kind, { trouble: failsFor(bad) });
    const event = orderEvent("created", "a");
    await it.reader.takeIn({ source, events: [event] });
    const dead = async () => (await it.client.listParkedEvents({ state: ParkedState.DEAD })).parkedEvents.length === 1;
    await inTime(it.readers.clock, "it is dead", dead);
    const again = it.client.replayParkedEvent({ id: event.id });
    await expectError(again, {
      code: Code.FailedPrecondition,
      reason: "EVENT_FAILED",
      message: /created a is too much/,
    });
    expect(await dead()).toBe(true);
    bad.clear();
    await it.client.replayParkedEvent({ id: event.id });
    expect(await it.seen()).toEqual(["created a"]);
    expect((await it.client.listParkedEvents({})).parkedEvents).toEqual([]);
    await it.reader.takeIn({ source, events: [event] });
    expect(await it.seen()).toEqual(["created a"]);
  });

  test("what waits behind another cannot be replayed before it; skipping that one lets it go on", async () => {
    await using it = await openFollower(kind, { trouble: failsFor(new Set(["created a"])) });
    const [created, confirmed] = [orderEvent("created", "a"), orderEvent("confirmed", "a")];
    await it.reader.takeIn({ source, events: [created, confirmed] });
    const early = it.client.replayParkedEvent({ id: confirmed.id });
    await expectError(early, { code: Code.FailedPrecondition, reason: "EVENT_BEHIND" });
    await it.client.skipParkedEvent({ id: created.id });
    await inTime(it.readers.clock, "the next is handled", async () => (await it.seen()).length === 1);
    expect(await it.seen()).toEqual(["confirmed a"]);
    await it.reader.takeIn({ source, events: [created] });
    expect(await it.seen()).toEqual(["confirmed a"]);
    const told = it.readers.lines.find(({ message }) => String(message).startsWith("an event was given up for good"));
    expect(told).toMatchObject({ event: created.id, subject: "a" });
  });

  test("a rebuilt view is the same as before", async () => {
    await using it = await openFollower(kind);
    const subjects = Array.from({ length: 60 }, (_, at) => String(at));
    it.log.append(...subjects.map((subject) => orderEvent("created", subject)));
    it.log.append(...subjects.map((subject) => orderEvent("confirmed", subject)));
    await inTime(it.readers.clock, "all is read", async () => (await it.seen()).length === 120);
    const before = bySubject(await it.seen());
    expect(await it.client.rebuildSubscription({ source })).toMatchObject({ endPosition: 120n });
    await inTime(it.readers.clock, "all is read anew", async () => (await it.seen()).length === 120);
    expect(bySubject(await it.seen())).toEqual(before);
    await it.readers.clock.advance(3_000);
    expect(bySubject(await it.seen())).toEqual(before);
  });

  test("a rebuild beside a broker reads the log to its end, and what the broker brings meanwhile comes once", async () => {
    await using it = await openFollower(kind, { transport: "amqp" });
    const events = Array.from({ length: 50 }, (_, at) => orderEvent("created", String(at)));
    it.log.append(...events);
    await it.readers.clock.advance(3_000);
    expect(it.log.asked).toBe(0);
    await it.reader.takeIn({ source, events });
    await it.client.rebuildSubscription({ source });
    const later = orderEvent("created", "later");
    it.log.append(later);
    await it.reader.takeIn({ source, events: [later] });
    await inTime(it.readers.clock, "all is read anew", async () => (await it.seen()).length === 51);
    const { cursors } = userEventRows;
    const { store } = it.reader;
    await inTime(it.readers.clock, "it is over", async () => (await store.read((em) => em.count(cursors))) === 0);
    const asked = it.log.asked;
    it.log.append(orderEvent("created", "by the broker alone"));
    await it.readers.clock.advance(3_000);
    expect(it.log.asked).toBe(asked);
    expect(new Set(await it.seen()).size).toBe(51);
    expect(await it.seen()).toHaveLength(51);
  });

  test.each(["nothing waits any more", "more waits always"])(
    "a rebuild beside a broker loses nothing that got its position later, where %s",
    async (what) => {
      await using it = await openFollower(kind, { transport: "amqp" });
      const [early, late] = [orderEvent("created", "early"), orderEvent("created", "late")];
      it.log.append(early);
      it.log.backlog = 1n;
      await it.reader.takeIn({ source, events: [early, late] });
      await it.client.rebuildSubscription({ source });
      await inTime(it.readers.clock, "the log is read", async () => (await it.seen()).length === 1);
      await it.readers.clock.advance(3_000);
      it.log.append(late);
      if (what === "nothing waits any more") it.log.backlog = 0n;
      await inTime(it.readers.clock, "all is there", async () => (await it.seen()).length === 2);
    },
  );

  test("a rebuild in the middle of taking in loses nothing and doubles nothing", async () => {
    await using it = await openFollower(kind, { transport: "amqp" });
    const second = await it.readers.open();
    const count = 90; // so few that nobody rests by a clock that stands still
    const events = Array.from({ length: count }, (_, at) => orderEvent("created", String(at)));
    it.log.append(...events);
    const taking = (async () => {
      for (let at = 0; at < events.length; at += 9) await second.takeIn({ source, events: events.slice(at, at + 9) });
    })();
    await it.client.rebuildSubscription({ source });
    await it.client.rebuildSubscription({ source });
    await taking;
    await inTime(it.readers.clock, "all is there", async () => (await it.seen()).length >= count);
    await it.readers.clock.advance(3_000);
    expect(await it.seen()).toHaveLength(count);
    expect(new Set(await it.seen()).size).toBe(count);
  });

  test("a rebuild waits for what is being taken in, and what it empties is forgotten", async () => {
    const [begun, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let taking: Promise<void> | undefined;
    await using it = await openFollower(kind, {
      transport: "amqp",
      trouble: () => {
        begun.resolve();
        return release.promise;
      },
      clear: async (em) => {
        release.resolve(); // too late, if the rebuild has not waited: what is emptied now was noted as taken in
        await taking;
        await emptied(em);
      },
    });
    const event = orderEvent("created", "a");
    it.log.append(event);
    taking = it.reader.takeIn({ source, events: [event] });
    await begun.promise;
    const rebuilding = it.client.rebuildSubscription({ source });
    await systemClock.sleep(300);
    release.resolve();
    await Promise.all([taking, rebuilding]);
    await inTime(it.readers.clock, "it is read anew", async () => (await it.seen()).length === 1);
  });

  test("what is more than a view, or nobody follows, is not rebuilt; nor is one whose source cannot be asked", async () => {
    await using it = await openFollower(kind);
    const { client } = it;
    await expectError(client.rebuildSubscription({ source: "weather" }), { code: Code.NotFound });
    const more = { code: Code.FailedPrecondition, reason: "NO_VIEW" };
    await expectError(client.rebuildSubscription({ source: "catalog" }), more);
    it.log.append(orderEvent("created", "a"));
    await inTime(it.readers.clock, "it is read", async () => (await it.seen()).length === 1);
    it.log.away = true;
    await expectError(client.rebuildSubscription({ source }), { code: Code.Unavailable });
    expect(await it.seen()).toEqual(["created a"]);
  });
}
