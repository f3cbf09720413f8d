import { expect, test } from "vitest";
import { resourceExhausted } from "../../call/errors.ts";
import { parkedHeads, putOff } from "../../events/inbox/parked-heads.ts";
import { userEventRows } from "../../services/user/user-entity.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { failsFor, inTime, openReaders, orderEvent, parkedIn, written } from "./inbox-parts.ts";

const source = "order";
const { parked: rows } = userEventRows;

/** What becomes of events that cannot be handled, whatever the database. */
export function parkedSuite(kind: DatabaseKind): void {
  test("what follows a waiting event of the same subject waits behind it, and comes in order after it", async () => {
    const bad = new Set(["created a"]);
    await using readers = await openReaders(kind, { trouble: failsFor(bad) });
    const { takeIn, store } = readers.reader;
    const second = await readers.open();
    await takeIn({
      source,
      events: [orderEvent("created", "a"), orderEvent("confirmed", "a"), orderEvent("created", "b")],
    });
    await second.takeIn({ source, events: [orderEvent("cancelled", "a"), orderEvent("confirmed", "b")] });
    expect(await written(store)).toEqual(["created b", "confirmed b"]);
    expect(await parkedIn(store)).toMatchObject([{ attempts: 1 }, { attempts: 0 }, { attempts: 0 }]);
    bad.clear();
    await inTime(readers.clock, "all are handled", async () => (await parkedIn(store)).length === 0);
    expect((await written(store)).slice(2)).toEqual(["created a", "confirmed a", "cancelled a"]);
  });

  test("an event is given up after five tries, with the reason told, and its subject goes on", async () => {
    const dead: string[] = [];
    const tries: number[] = [];
    await using readers = await openReaders(kind, {
      trouble: (what) => {
        if (what !== "created a") return;
        tries.push(readers.clock.now());
        throw new Error("no room for it");
      },
      hooks: { dead: ({ type }) => void dead.push(type) },
    });
    const { takeIn, store } = readers.reader;
    const [created, confirmed] = [orderEvent("created", "a"), orderEvent("confirmed", "a")];
    await takeIn({ source, events: [created, confirmed] });
    const last = await inTime(readers.clock, "the event is dead", async () => {
      const [first, ...others] = await parkedIn(store);
      return others.length === 0 && first;
    });
    expect(last).toMatchObject({
      eventId: created.id,
      state: "dead",
      attempts: 5,
      reason: "no room for it",
      nextAt: null,
    });
    expect(await written(store)).toEqual(["confirmed a"]);
    expect(tries.length).toBe(6); // the first time with the batch, then by itself
    expect(dead).toEqual([created.type]);
    const line = readers.lines.find(({ level }) => level === "error");
    expect(line).toMatchObject({ event: created.id, subject: "a", reason: "no room for it" });
    expect(line?.advice).toContain(`heddle events replay ${created.id}`);
  });

  test("tries go on after a restart where they stood", async () => {
    const bad = new Set(["created a"]);
    await using readers = await openReaders(kind, { trouble: failsFor(bad) });
    const { reader, clock } = readers;
    await reader.takeIn({ source, events: [orderEvent("created", "a"), orderEvent("confirmed", "a")] });
    await inTime(clock, "three tries", async () => (await parkedIn(reader.store))[0]?.attempts === 3);
    await reader.close();
    bad.clear();
    const { store } = await readers.open();
    await inTime(clock, "all are handled", async () => (await parkedIn(store)).length === 0);
    expect(await written(store)).toEqual(["created a", "confirmed a"]);
  });

  test("of each subject the first that waits may be tried, by the first who puts its next try off", async () => {
    await using readers = await openReaders(kind, { trouble: failsFor(new Set(["created a", "created b"])) });
    const { reader, clock } = readers;
    const { store } = reader;
    const events = ["a", "a", "b"].map((subject) => orderEvent("created", subject));
    await reader.takeIn({ source, events });
    await reader[Symbol.asyncDispose]();
    const heads = await store.read((em) => parkedHeads(em, rows));
    const [first, second, third] = await parkedIn(store);
    expect(heads.map(({ seq }) => seq)).toEqual([first?.seq, third?.seq]);
    expect(second?.subject).toBe("a");
    const putOffFirst = () => store.unit(async (em) => heads[0] && putOff(em, rows, heads[0], clock.wall() + 5_000));
    expect([await putOffFirst(), await putOffFirst()]).toEqual([true, false]);
  });

  test("replicas do not both try what waits", async () => {
    let tries = 0;
    await using readers = await openReaders(kind, {
      trouble: () => {
        if (++tries <= 2) throw new Error("not yet");
      },
    });
    const others = [await readers.open(), await readers.open()];
    await readers.reader.takeIn({ source, events: [orderEvent("created", "a")] });
    await inTime(readers.clock, "it is handled", async () => (await parkedIn(readers.reader.store)).length === 0);
    await readers.clock.advance(1_000);
    expect(others).toHaveLength(2);
    expect(tries).toBe(3);
    expect(await written(readers.reader.store)).toEqual(["created a"]);
  });

  test("a clock that is set back does not keep waiting events waiting", async () => {
    const bad = new Set(["created a"]);
    await using readers = await openReaders(kind, { trouble: failsFor(bad) });
    const { reader, clock } = readers;
    await reader.takeIn({ source, events: [orderEvent("created", "a")] });
    bad.clear();
    clock.jump(-3_600_000);
    await inTime(clock, "it is handled", async () => (await parkedIn(reader.store)).length === 0);
    expect(await written(reader.store)).toEqual(["created a"]);
  });

  test("a database that is away is no try", async () => {
    let away = true;
    let tries = 0;
    await using readers = await openReaders(kind, {
      trouble: async (_what, em) => {
        if (++tries <= 2) throw new Error("at first");
        if (!away) return;
        if (kind === "postgres") await em.execute("select pg_terminate_backend(pg_backend_pid())");
        throw new Error("database is locked");
      },
    });
    const { reader, clock } = readers;
    await reader.takeIn({ source, events: [orderEvent("created", "a")] });
    await inTime(clock, "some tries", async () => tries >= 5);
    expect(await parkedIn(reader.store)).toMatchObject([{ attempts: 1, state: "waiting" }]);
    away = false;
    await inTime(clock, "it is handled", async () => (await parkedIn(reader.store)).length === 0);
    expect(await written(reader.store)).toEqual(["created a"]);
  });

  test("an event that keeps the database busy by itself is parked after a while, and the others go on", async () => {
    let busy = 0;
    await using readers = await openReaders(kind, {
      trouble: (what) => {
        if (what !== "created b") return;
        busy++;
        throw Object.assign(new Error("canceling statement due to statement timeout"), { code: "57014" });
      },
    });
    const { takeIn, store } = readers.reader;
    const events = ["a", "b", "c"].map((subject) => orderEvent("created", subject));
    for (let time = 0; time < 19; time++) await expect(takeIn({ source, events })).rejects.toThrow("busy");
    await takeIn({ source, events });
    expect(busy).toBe(21);
    expect(await written(store)).toEqual(["created a", "created c"]);
    expect(await parkedIn(store)).toMatchObject([{ eventId: events[1]?.id, state: "waiting" }]);
  });

  test("an outbox without room keeps events waiting where they are", async () => {
    let full = true;
    await using readers = await openReaders(kind, {
      trouble: () => {
        if (full) throw resourceExhausted("no room", { reason: "OUTBOX_FULL", domain: "heddle" });
      },
    });
    const { takeIn, store } = readers.reader;
    const events = [orderEvent("created", "a")];
    for (let time = 0; time < 25; time++) await expect(takeIn({ source, events })).rejects.toThrow("no room");
    full = false;
    await takeIn({ source, events });
    expect(await written(store)).toEqual(["created a"]);
    expect(await parkedIn(store)).toEqual([]);
  });
}
