import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import { OrderCreatedSchema } from "../../../gen/shop/order/v1/events_pb.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { orderEventRows } from "../../services/order/order-entity.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import type { Store } from "../../store/orm.ts";
import { eventually } from "../../testing/eventually.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { expectError } from "./errors.ts";
import { inTime } from "./inbox-parts.ts";
import { MemorySink, type OpenReplica, openPublishers, publishOrder, shown } from "./publisher-parts.ts";

/** What the way to a broker promises, whatever the database. */
export function relaySuite(kind: DatabaseKind): void {
  test("two replicas share the sending: each event goes out once, each subject's in order of commit", async () => {
    await using shop = await openPublishers(kind);
    const sink = new MemorySink();
    const one = await shop.open({ sink: sink.from("one"), clock: quickClock });
    const other = await shop.open({ sink: sink.from("other"), clock: quickClock });
    const subjects = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const endsAt = systemClock.now() + 10_000;
    const shared = () => (sink.senders.size === 2 && sink.kept.length >= 400) || systemClock.now() > endsAt;
    const published = subjects.map(async (subject, index) => {
      let turn = 0;
      for (; !shared(); turn++) {
        await publishOrder(index % 2 === 0 ? one : other, subject, String(turn));
        await systemClock.sleep(1);
      }
      return turn;
    });
    const counts = await Promise.all(published);
    const count = counts.reduce((sum, turns) => sum + turns);
    await keeps(sink, count);
    await eventually("all have their position", async () => (await backlogOf(one)) === 0n);
    expect(new Set(sink.kept.map(({ id }) => id)).size).toBe(sink.kept.length);
    expect(sink.atOnce).toBe(1);
    expect(sink.senders).toEqual(new Set(["one", "other"]));
    for (const [index, subject] of subjects.entries()) {
      const told = sink.kept.filter((event) => event.subject === subject).map(shown);
      expect(told).toEqual(Array.from({ length: counts[index] ?? 0 }, (_, turn) => `${subject}/${turn}`));
    }
    const { endPosition, transport } = await eventsOf(one).getEventLog({});
    expect({ endPosition, transport }).toEqual({ endPosition: BigInt(count), transport: "amqp" });
  }, 30_000);

  test("while the broker is away all waits, and is sent in order when it is back", async () => {
    await using shop = await openPublishers(kind);
    const sink = new MemorySink();
    const replica = await shop.open({ sink });
    await publishOrder(replica, "o-1");
    await keeps(sink, 1);
    sink.mood = "away";
    for (let turn = 0; turn < 20; turn++) await publishOrder(replica, "o-2", String(turn));
    expect(await backlogOf(replica)).toBe(20n);
    expect((await eventsOf(replica).getEventLog({})).oldestWaitingTime).toBeDefined();
    expect((await eventsOf(replica).listEvents({ unpublished: true })).events).toHaveLength(20);
    sink.mood = "well";
    await keeps(sink, 21);
    expect(sink.kept.slice(1).map(shown)).toEqual(Array.from({ length: 20 }, (_, turn) => `o-2/${turn}`));
    await eventually("nothing waits", async () => (await backlogOf(replica)) === 0n);
  });

  test("what is committed soon after something was sent waits for company, 15 ms at most, and is sent together", async () => {
    await using shop = await openPublishers(kind);
    const clock = fakeClock();
    const sink = new MemorySink();
    const sends: { readonly at: number; readonly events: number }[] = [];
    const send = (events: readonly Event[]) => {
      sends.push({ at: clock.now(), events: events.length });
      return sink.send(events);
    };
    const replica = await shop.open({ clock, sink: { ...sink.from("one"), send } });
    await publishOrder(replica, "first");
    await inTime(clock, "the first is kept", async () => sink.kept.length === 1, 1);
    await eventually("it has its position", async () => (await backlogOf(replica)) === 0n);
    for (const id of ["a", "b", "c"]) await publishOrder(replica, id);
    await inTime(clock, "the others are kept", async () => sink.kept.length === 4, 1);
    expect(sends.map(({ events }) => events)).toEqual([1, 3]);
    const [before = 0, after = 0] = sends.map(({ at }) => at);
    expect(after - before).toBeGreaterThanOrEqual(15);
    expect(after - before).toBeLessThan(50); // when the database would be looked at
  });

  test("above the most that may wait a change that would publish is refused as a whole, until the broker is back", async () => {
    await using shop = await openPublishers(kind);
    const sink = new MemorySink();
    sink.mood = "away";
    const replica = await shop.open({ sink, maxBacklog: 10 });
    for (let turn = 0; turn < 10; turn++) await publishOrder(replica, `o-${turn}`);
    const full = {
      code: Code.ResourceExhausted,
      reason: "OUTBOX_FULL",
      message: /10 events of order wait to be published, and 10 may.*EVENT_BACKLOG/,
    };
    await expectError(publishOrder(replica, "o-10"), full);
    const other = await shop.open({ publishes: false, maxBacklog: 10 });
    await publishOrder(other, "o-11"); // it has not counted yet: the bound is a little soft, and the count sees it
    await expectError(publishOrder(replica, "o-12"), full);
    sink.mood = "well";
    await keeps(sink, 11);
    await eventually("it may publish again", async () => {
      await publishOrder(replica, "o-13");
      return true;
    });
    await keeps(sink, 12);
    expect(sink.kept.map(({ subject }) => subject)).not.toContain("o-10");
  });

  test("what the broker may have kept without saying so is sent again, under the same id, never lost", async () => {
    await using shop = await openPublishers(kind);
    const sink = new MemorySink();
    const replica = await shop.open({ sink });
    await publishOrder(replica, "o-0");
    await keeps(sink, 1);
    sink.mood = "forgetful";
    await publishOrder(replica, "o-1");
    await keeps(sink, 2);
    sink.mood = "well";
    await eventually("nothing waits", async () => (await backlogOf(replica)) === 0n);
    const again = sink.kept.filter(({ subject }) => subject === "o-1");
    expect(again.length).toBeGreaterThan(1);
    expect(new Set(again.map(({ id }) => id)).size).toBe(1);
  });

  test("what was sent by a replica that died before it gave positions is sent by the next one", async () => {
    await using shop = await openPublishers(kind);
    const sink = new MemorySink();
    const dying = await shop.open({ sink });
    await publishOrder(dying, "o-1");
    await keeps(sink, 1);
    await eventually("nothing waits", async () => (await backlogOf(dying)) === 0n);
    dying.store.away = true; // from here on it can send, and write nothing
    await publishOrder(await shop.open({ publishes: false }), "o-2");
    await keeps(sink, 2);
    expect(await backlogOf(dying)).toBe(1n);
    await dying.close();
    const next = await shop.open({ sink, clock: quickClock });
    await eventually("nothing waits", async () => (await backlogOf(next)) === 0n);
    expect(sink.kept.filter(({ subject }) => subject === "o-2").length).toBeGreaterThan(1);
    expect(sink.kept.filter(({ subject }) => subject === "o-1")).toHaveLength(1);
  });

  test("all from a position is sent once more when that is asked for, by whoever holds the slots, before what is new", async () => {
    await using shop = await openPublishers(kind);
    const sink = new MemorySink();
    const replica = await shop.open({ sink });
    await replica.store.unit(async (em) => {
      for (let turn = 0; turn < 1_200; turn++) await replica.outbox.append(em, OrderCreatedSchema, order(turn));
    });
    await keeps(sink, 1_200);
    await eventually("nothing waits", async () => (await backlogOf(replica)) === 0n);
    const before = [...sink.kept];
    sink.mood = "away";
    expect((await eventsOf(replica).resendEvents({ fromPosition: 900n })).events).toBe(301n);
    expect((await eventsOf(replica).resendEvents({ fromPosition: 601n })).events).toBe(600n);
    expect((await eventsOf(replica).resendEvents({ fromPosition: 1_000n })).events).toBe(201n);
    expect((await eventsOf(replica).resendEvents({ fromPosition: 1_201n })).events).toBe(0n);
    await publishOrder(replica, "m", "new"); // of the same subject: it may not overtake them
    sink.mood = "well";
    const last = () => sink.kept.at(-1) ?? expect.fail();
    await eventually("the new one is kept", () => shown(last()) === "m/new");
    const again = sink.kept.slice(-601); // what was under way when it was told to begin further back may lie before
    expect(again.map(shown)).toEqual([...before.slice(600).map(shown), "m/new"]);
    await eventually("the note is gone", async () => (await resendsIn(replica.store)) === 0);
    await publishOrder(replica, "newer");
    await eventually("what comes after it is sent as ever", () => last().subject === "newer");
  });

  test("closing gives the slots back at once, and what the broker does not answer keeps nobody waiting", async () => {
    await using shop = await openPublishers(kind);
    const sink = new MemorySink();
    const first = await shop.open({ sink });
    await publishOrder(first, "o-1");
    await keeps(sink, 1);
    const second = await shop.open({ sink });
    await first.close();
    await publishOrder(second, "o-2");
    await keeps(sink, 2);
  });
}

/** A clock that is twenty times as fast as ours: terms of leases are over soon. */
const quickClock: Clock = {
  now: () => systemClock.now() * 20,
  wall: () => systemClock.wall(),
  setTimer: (ms, fn, keepAlive) => systemClock.setTimer(ms / 20, fn, keepAlive),
  sleep: (ms, signal) => systemClock.sleep(ms / 20, signal),
};

const order = (turn: number) => ({ order: { id: "m", cancelReason: String(turn) } });

function eventsOf({ events = expect.fail("it does not publish") }: Pick<OpenReplica, "events">) {
  return events;
}

async function backlogOf(replica: Pick<OpenReplica, "events">): Promise<bigint> {
  return (await eventsOf(replica).getEventLog({})).backlog;
}

async function resendsIn(store: Store): Promise<number> {
  return store.read((em) => em.count(orderEventRows.resends));
}

async function keeps(sink: MemorySink, count: number): Promise<void> {
  await eventually(`the broker keeps ${count} events`, () => sink.kept.length >= count);
}
