import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { Watchable } from "../../base/watch.ts";
import { openSubscriber } from "../../events/follow/open-subscriber.ts";
import { Subscriber } from "../../events/follow/subscriber.ts";
import { readCursors } from "../../events/inbox/cursors.ts";
import { allSlots, slotOf } from "../../events/slots.ts";
import { userEventRows } from "../../services/user/user-entity.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import type { Store } from "../../store/orm.ts";
import {
  bySubject,
  inTime,
  openReaders,
  orderEvent,
  type Reader,
  type Readers,
  type Trouble,
  written,
} from "./inbox-parts.ts";
import { WrittenLog } from "./written-log.ts";

const source = "order";
const { cursors } = userEventRows;

/** A replica that follows the log, with these slots at first. */
function follow(readers: Readers, reader: Reader, log: WrittenLog, slots: readonly number[] = allSlots) {
  const held = new Watchable<ReadonlySet<number>>(new Set(slots));
  const subscriber = new Subscriber({ ...partsOf(readers, reader, log), held });
  return { held, subscriber, [Symbol.asyncDispose]: () => subscriber[Symbol.asyncDispose]() };
}

function partsOf({ clock, log }: Readers, { takeIn, known, store }: Reader, { client }: WrittenLog) {
  const types = known.types(source);
  return { source, subscriber: "user", types, client, store, cursors, takeIn, clock, random: () => 1, log };
}

/** Waits until as many things are written down. */
async function writtenUpTo({ clock }: Readers, store: Store, count: number): Promise<string[]> {
  return inTime(clock, `${count} are written down`, async () => {
    const seen = await written(store);
    return seen.length >= count && seen;
  });
}

const many = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => orderEvent("created", String(from + at)));

/** What following another's log promises, whatever the database. */
export function subscriberSuite(kind: DatabaseKind): void {
  const open = async (trouble?: Trouble) => {
    const readers = await openReaders(kind, trouble && { trouble });
    return { readers, log: new WrittenLog(), [Symbol.asyncDispose]: () => readers[Symbol.asyncDispose]() };
  };
  const positions = (store: Store) => store.read((em) => readCursors(em, cursors, source, allSlots));

  test("what was there before and what comes later is taken in, in order, and how far is kept", async () => {
    await using it = await open();
    const { reader } = it.readers;
    it.log.append(...many(700));
    await using _ = follow(it.readers, reader, it.log);
    await writtenUpTo(it.readers, reader.store, 700);
    it.log.append(...many(3, 700));
    const seen = await writtenUpTo(it.readers, reader.store, 703);
    expect(bySubject(seen)).toEqual(bySubject(many(703).map(({ subject }) => `created ${subject}`)));
    await inTime(it.readers.clock, "cursors", async () =>
      [...(await positions(reader.store)).values()].every((at) => at === 703n),
    );
  });

  test("a subscriber that starts again goes on from where it was", async () => {
    await using it = await open();
    const { reader } = it.readers;
    it.log.append(...many(20));
    {
      await using _ = follow(it.readers, reader, it.log);
      await writtenUpTo(it.readers, reader.store, 20);
    }
    it.log.append(...many(2, 20));
    const asked: bigint[] = [];
    const subscribe: WrittenLog["client"]["subscribe"] = (request, options) => {
      asked.push(...(request.cursors ?? []).map(({ after = 0n }) => after));
      return it.log.client.subscribe(request, options);
    };
    const held = new Watchable<ReadonlySet<number>>(new Set(allSlots));
    const parts = partsOf(it.readers, reader, it.log);
    await using _ = new Subscriber({ ...parts, client: { ...it.log.client, subscribe }, held });
    await writtenUpTo(it.readers, reader.store, 22);
    expect(new Set(asked)).toEqual(new Set([20n]));
  });

  test("a source that is away is asked again for as long as it takes, and nothing is missed", async () => {
    await using it = await open();
    const { reader, clock } = it.readers;
    it.log.append(...many(3));
    await using _ = follow(it.readers, reader, it.log);
    await writtenUpTo(it.readers, reader.store, 3);
    it.log.away = true;
    it.log.cut();
    await inTime(clock, "it is asked for half a minute", async () => it.log.asked > 24, 1_000);
    it.log.append(...many(3, 3));
    it.log.away = false;
    expect(await writtenUpTo(it.readers, reader.store, 6)).toHaveLength(6);
    const told = it.readers.lines.filter(({ message }) => String(message).startsWith("no events come"));
    expect(told).toHaveLength(1);
  });

  test("a source that is not up yet is no trouble: one short line tells that it is asked again, and one that it came", async () => {
    await using it = await open();
    const { reader, clock } = it.readers;
    it.log.append(...many(3));
    it.log.away = true;
    await using _ = follow(it.readers, reader, it.log);
    await inTime(clock, "it is asked often", async () => it.log.asked > 5);
    it.log.away = false;
    await writtenUpTo(it.readers, reader.store, 3);
    const about = { level: "info", source };
    expect(it.readers.lines).toMatchObject([
      { ...about, message: "no events come yet: asking again and again", error: expect.stringContaining("nobody") },
      { ...about, message: "events come" },
    ]);
  });

  test("a source that says nothing for long is given up and asked anew", async () => {
    await using it = await open();
    const { reader, clock } = it.readers;
    await using _ = follow(it.readers, reader, it.log);
    await inTime(clock, "it is followed", async () => it.log.asked === 1);
    await inTime(clock, "it is asked anew", async () => it.log.asked === 2);
    expect(it.readers.lines.some(({ error }) => String(error).includes("order is silent"))).toBe(true);
  });

  test("slots that come and go are read from where whoever had them has left them", async () => {
    await using it = await open();
    const { reader } = it.readers;
    const second = await it.readers.open();
    await using one = follow(it.readers, reader, it.log, allSlots);
    await using other = follow(it.readers, second, it.log, []);
    it.log.append(...many(50));
    await writtenUpTo(it.readers, reader.store, 50);
    one.held.set(new Set([0, 1, 2, 3]));
    await one.subscriber.letGo(new Set([4, 5, 6, 7]));
    other.held.set(new Set([4, 5, 6, 7]));
    it.log.append(...many(50, 50));
    const seen = await writtenUpTo(it.readers, reader.store, 100);
    expect(new Set(seen).size).toBe(100);
    for (const slot of allSlots) {
      const own = (what: string) => slotOf(what.split(" ")[1] ?? "") === slot;
      expect(seen.filter(own)).toEqual(
        many(100)
          .map(({ subject }) => `created ${subject}`)
          .filter(own),
      );
    }
  });

  test("two that both think a slot is theirs apply nothing twice", async () => {
    await using it = await open();
    const { reader } = it.readers;
    const second = await it.readers.open();
    await using _one = follow(it.readers, reader, it.log);
    await using _other = follow(it.readers, second, it.log);
    for (let round = 0; round < 10; round++) {
      it.log.append(...many(30, round * 30));
      await it.readers.clock.advance(20);
    }
    await writtenUpTo(it.readers, reader.store, 300);
    await it.readers.clock.advance(3_000);
    const seen = await written(reader.store);
    expect(seen).toHaveLength(300);
    expect(new Set(seen).size).toBe(300);
  });

  test("replicas share the slots by their leases, and one takes over all when the other ends", async () => {
    await using it = await open();
    const { clock } = it.readers;
    const replica = async () => {
      const reader = await it.readers.open();
      const parts = partsOf(it.readers, reader, it.log);
      return openSubscriber({ ...parts, leases: userEventRows.leases, holder: randomUUID() });
    };
    await using one = await replica();
    const other = await replica();
    const sizes = () => [one.held.value.size, other.held.value.size].sort();
    await inTime(clock, "each has four", async () => String(sizes()) === "4,4");
    it.log.append(...many(100));
    await writtenUpTo(it.readers, it.readers.reader.store, 100);
    await other[Symbol.asyncDispose]();
    await inTime(clock, "one has all", async () => one.held.value.size === 8);
    it.log.append(...many(100, 100));
    const seen = await writtenUpTo(it.readers, it.readers.reader.store, 200);
    expect(new Set(seen).size).toBe(200);
    expect(seen).toHaveLength(200);
  });

  test("a database that is away in the middle of a batch is waited for", async () => {
    let failures = 0;
    await using it = await open(async (what, em) => {
      if (what !== "created 30" || ++failures > 3) return;
      if (kind === "postgres") await em.execute("select pg_terminate_backend(pg_backend_pid())");
      throw new Error("database is locked");
    });
    const { reader } = it.readers;
    it.log.append(...many(60));
    await using _ = follow(it.readers, reader, it.log);
    const seen = await writtenUpTo(it.readers, reader.store, 60);
    expect(failures).toBeGreaterThan(3);
    expect(bySubject(seen)).toEqual(bySubject(many(60).map(({ subject }) => `created ${subject}`)));
    expect(await reader.store.read((em) => em.count(userEventRows.parked))).toBe(0);
  });

  test("poison does not stop the stream, nor its cursor", async () => {
    await using it = await open((what) => {
      if (what === "created 10") throw new Error("poison");
    });
    const { reader, clock } = it.readers;
    it.log.append(...many(40));
    await using _ = follow(it.readers, reader, it.log);
    await writtenUpTo(it.readers, reader.store, 39);
    await inTime(clock, "cursors", async () => [...(await positions(reader.store)).values()].every((at) => at === 40n));
  });

  test("a source that was put back to an older state is read anew, and what was seen changes nothing", async () => {
    await using it = await open();
    const { reader } = it.readers;
    it.log.append(...many(30));
    await using _ = follow(it.readers, reader, it.log);
    await writtenUpTo(it.readers, reader.store, 30);
    it.log.events.splice(20);
    it.log.cut();
    await inTime(it.readers.clock, "it is told", async () => it.readers.lines.some(({ level }) => level === "error"));
    it.log.append(...many(5, 100));
    const seen = await writtenUpTo(it.readers, reader.store, 35);
    expect(bySubject(seen.slice(30))).toEqual(bySubject(many(5, 100).map(({ subject }) => `created ${subject}`)));
  });

  test("what a log has forgotten before it was read is told, and the rest is read", async () => {
    await using it = await open();
    const { reader } = it.readers;
    it.log.append(...many(30));
    it.log.first = 11n;
    await using _ = follow(it.readers, reader, it.log);
    const seen = await writtenUpTo(it.readers, reader.store, 20);
    expect(bySubject(seen)).toEqual(bySubject(many(20, 10).map(({ subject }) => `created ${subject}`)));
    expect(it.readers.lines.find(({ level }) => level === "error")).toMatchObject({ source, reading_from: "10" });
  });

  test("a cursor that was put back by somebody else is read from there, although nothing new comes", async () => {
    await using it = await open();
    const { reader } = it.readers;
    it.log.append(...many(30));
    await using _ = follow(it.readers, reader, it.log);
    await writtenUpTo(it.readers, reader.store, 30);
    await reader.store.unit(async (em) => {
      await em.nativeDelete(cursors, {});
      await em.nativeDelete(userEventRows.inbox, {});
    });
    expect(await writtenUpTo(it.readers, reader.store, 60)).toHaveLength(60);
    expect(it.readers.lines.map(({ message }) => message)).toContain("a cursor was moved: reading from there");
  });
}
