import { isDeepStrictEqual } from "node:util";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { expect, test } from "vitest";
import {
  OrderCancelledSchema,
  OrderConfirmedSchema,
  OrderCreatedSchema,
} from "../../../gen/shop/order/v1/events_pb.ts";
import { UserDeletedSchema } from "../../../gen/shop/user/v1/events_pb.ts";
import { on } from "../../events/handler.ts";
import type { EventHooks } from "../../events/hooks.ts";
import { createOutbox } from "../../events/outbox/outbox.ts";
import { User, userEventRows } from "../../services/user/user-entity.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { failsFor, inTime, openReaders, orderEvent, parkedIn, type Trouble, written } from "./inbox-parts.ts";

const source = "order";

/** What an inbox promises, whatever the database. */
export function inboxSuite(kind: DatabaseKind): void {
  test("an event that is delivered again changes nothing", async () => {
    await using readers = await openReaders(kind);
    const { takeIn, store } = readers.reader;
    const events = [orderEvent("created", "a"), orderEvent("created", "b")];
    await takeIn({ source, events });
    await takeIn({ source, events: [...events, orderEvent("confirmed", "a")] });
    expect(await written(store)).toEqual(["created a", "created b", "confirmed a"]);
  });

  test("an event that is twice in one batch is handled once", async () => {
    await using readers = await openReaders(kind);
    const { takeIn, store } = readers.reader;
    const [a, b] = [orderEvent("created", "a"), orderEvent("created", "b")];
    await takeIn({ source, events: [a, b, a, b, a] });
    expect(await written(store)).toEqual(["created a", "created b"]);
  });

  test("replicas that are brought the same events at the same time handle each once", async () => {
    await using readers = await openReaders(kind);
    const second = await readers.open();
    const events = Array.from({ length: 200 }, (_, at) => orderEvent("created", String(at)));
    const [forth, back] = [events, events.toReversed()];
    await Promise.all([readers.reader.takeIn({ source, events: forth }), second.takeIn({ source, events: back })]);
    const seen = await written(second.store);
    expect(seen).toHaveLength(200);
    expect(new Set(seen).size).toBe(200);
  });

  test("events that come in another order are each handled once", async () => {
    await using readers = await openReaders(kind);
    const { takeIn, store } = readers.reader;
    const [created, confirmed] = [orderEvent("created", "a"), orderEvent("confirmed", "a")];
    await takeIn({ source, events: [confirmed] });
    await takeIn({ source, events: [created, confirmed] });
    expect(await written(store)).toEqual(["confirmed a", "created a"]);
  });

  test("what a handler has written and the note of its event are there together or not at all", async () => {
    await using readers = await openReaders(kind);
    const { takeIn, store } = readers.reader;
    const events = [orderEvent("created", "a"), orderEvent("created", "b")];
    const settle = () => Promise.reject(new Error("cut off before the commit"));
    await expect(takeIn({ source, events, settle })).rejects.toThrow("cut off");
    await takeIn({ source, events });
    expect(await written(store)).toEqual(["created a", "created b"]);
  });

  test("a crash before the commit leaves nothing, and the next delivery is the first", async () => {
    const crashes = new Set(["created b"]);
    const away: Trouble = async (what, em) => {
      if (!crashes.delete(what)) return;
      if (kind === "postgres") await em.execute("select pg_terminate_backend(pg_backend_pid())");
      throw new Error("database is locked");
    };
    await using readers = await openReaders(kind, { trouble: away });
    const { takeIn, store } = readers.reader;
    const events = [orderEvent("created", "a"), orderEvent("created", "b"), orderEvent("created", "c")];
    await expect(takeIn({ source, events })).rejects.toMatchObject({ code: Code.Unavailable });
    expect(await written(store)).toEqual([]);
    expect(await parkedIn(store)).toEqual([]);
    await takeIn({ source, events });
    expect(await written(store)).toEqual(["created a", "created b", "created c"]);
  });

  test("where the batch was read to is written with what it changed", async () => {
    await using readers = await openReaders(kind);
    const { takeIn, store } = readers.reader;
    const { cursors } = userEventRows;
    const settle = async (em: Parameters<Trouble>[1]) =>
      void (await em.insert(cursors, { source, slot: 0, position: 7n }));
    await takeIn({ source, events: [], settle });
    expect(await store.read((em) => em.count(cursors))).toBe(1);
  });

  test("types that mean nothing here, and sources that nobody follows, are let go", async () => {
    await using readers = await openReaders(kind);
    const { takeIn, store } = readers.reader;
    await takeIn({ source, events: [orderEvent("created", "a", { type: "shop.order.v1.OrderPraised" })] });
    await takeIn({ source: "weather", events: [orderEvent("created", "a")] });
    expect(await written(store)).toEqual([]);
    expect(await parkedIn(store)).toEqual([]);
  });

  test("an event that cannot be handled is parked with the reason, and the others go on", async () => {
    await using readers = await openReaders(kind, { trouble: failsFor(new Set(["created b"])) });
    const { takeIn, store } = readers.reader;
    const events = ["a", "b", "c"].map((subject) => orderEvent("created", subject));
    await takeIn({ source, events });
    expect(await written(store)).toEqual(["created a", "created c"]);
    const reason = "created b is more than I can bear";
    expect(await parkedIn(store)).toMatchObject([{ eventId: events[1]?.id, state: "waiting", attempts: 1, reason }]);
  });

  test("independent events of several subjects are handled side by side where the database is a server, and those of one in order", async () => {
    const [isPostgres, underWay] = [kind === "postgres", new Set<string>()];
    let [most, overtaken] = [0, 0];
    const trouble: Trouble = async (what, em) => {
      const [, subject = ""] = what.split(" ");
      if (["created", "confirmed"].some((kind) => underWay.has(`${kind} ${subject}`))) overtaken++;
      underWay.add(what);
      await em.execute("select 1");
      most = Math.max(most, underWay.size);
      underWay.delete(what);
    };
    await using readers = await openReaders(kind, { trouble, independent: true });
    const { takeIn, store } = readers.reader;
    const subjects = Array.from({ length: 100 }, (_, at) => `o-${at}`);
    const events = subjects.flatMap((subject) => [orderEvent("created", subject), orderEvent("confirmed", subject)]);
    await takeIn({ source, events });
    expect([most > 1, overtaken]).toEqual([isPostgres, 0]);
    const seen = await written(store);
    expect(seen).toHaveLength(200);
    for (const subject of subjects) {
      const own = seen.filter((what) => what.endsWith(` ${subject}`));
      expect(own).toEqual([`created ${subject}`, `confirmed ${subject}`]);
    }
  });

  test("what a handler makes, changes or removes by entities is written without its asking", async () => {
    const at = new Date(0);
    const user = { name: "made", email: "a@example.com", emailKey: "a@example.com", createdAt: at, updatedAt: at };
    const only = (em: SqlEntityManager) => em.findOneOrFail(User, { emailKey: user.emailKey });
    const handlers = [
      on(OrderCreatedSchema, async (_, { em }) => void em.create(User, user)),
      on(OrderConfirmedSchema, async (_, { em }) => {
        (await only(em)).name = "changed";
      }),
      on(OrderCancelledSchema, async (_, { em }) => void em.remove(await only(em))),
    ];
    await using readers = await openReaders(kind, { subscriptions: [{ source, handlers, clear: async () => {} }] });
    const { takeIn, store } = readers.reader;
    const seen: string[][] = [];
    for (const what of ["created", "confirmed", "cancelled"] as const) {
      await takeIn({ source, events: [orderEvent(what, "a")] });
      seen.push(await written(store));
    }
    expect(seen).toEqual([["made"], ["changed"], []]);
  });

  test("a backlog gives way to calls between transactions; a few events do not", async () => {
    const tookMs = 3;
    const trouble: Trouble = async () => readers.clock.advance(tookMs);
    await using readers = await openReaders(kind, { trouble });
    const { reader, clock } = readers;
    const from = (first: number, count: number) =>
      Array.from({ length: count }, (_, at) => orderEvent("created", String(first + at)));
    await reader.takeIn({ source, events: from(0, 8) });
    expect(clock.sleeps).toEqual([]);
    let isTaken = false;
    const taking = reader.takeIn({ source, events: from(8, 112) }).finally(() => {
      isTaken = true;
    });
    await inTime(clock, "all are taken in", async () => isTaken);
    await taking;
    expect(clock.sleeps.filter((ms) => ms === 15).length).toBeGreaterThan(1);
    expect(await written(reader.store)).toHaveLength(120);
  });

  test("a busy moment's events go into few transactions on a server, and into short ones with SQLite", async () => {
    const transactions = new Set<unknown>();
    const trouble: Trouble = async (_, em) => {
      transactions.add(em.getTransactionContext());
      await readers.clock.advance(0.4);
    };
    await using readers = await openReaders(kind, { trouble });
    const time = timestampFromMs(readers.clock.wall());
    const events = Array.from({ length: 128 }, (_, at) => orderEvent("created", String(at), { time }));
    await readers.reader.takeIn({ source, events });
    expect(await written(readers.reader.store)).toHaveLength(128);
    expect(readers.clock.sleeps).toEqual([]);
    if (kind === "sqlite") expect(transactions.size).toBeGreaterThan(10);
    else expect(transactions.size).toBeLessThan(7);
  });

  test("of independent events one that fails is parked, with what comes after it, and the others go on", async () => {
    const trouble = failsFor(new Set(["created b"]));
    await using readers = await openReaders(kind, { trouble, independent: true });
    const { takeIn, store } = readers.reader;
    const events = ["a", "b", "c"].map((subject) => orderEvent("created", subject));
    await takeIn({ source, events: [...events, orderEvent("confirmed", "b"), orderEvent("confirmed", "c")] });
    expect((await written(store)).sort()).toEqual(["confirmed c", "created a", "created c"]);
    const waiting = (await parkedIn(store)).map(({ eventId, attempts }) => [eventId, attempts]);
    expect(waiting).toEqual([
      [events[1]?.id, 1],
      [expect.any(String), 0],
    ]);
  });

  test("data that cannot be read, and versions that are too new, are parked with what to do", async () => {
    await using readers = await openReaders(kind);
    const { takeIn, store } = readers.reader;
    const broken = orderEvent("created", "a", { data: new Uint8Array([255, 255]) });
    const json = { dataContentType: "application/json", data: new TextEncoder().encode("{") };
    const events = [broken, orderEvent("created", "b", { version: 2 }), orderEvent("created", "c", json)];
    await takeIn({ source, events: [...events, orderEvent("created", "d")] });
    expect(await written(store)).toEqual(["created d"]);
    const reasons = (await parkedIn(store)).map(({ reason }) => reason);
    expect(reasons[0]).toMatch(/^its data is no shop\.order\.v1\.OrderCreated in application\/protobuf: /);
    expect(reasons[1]).toMatch(/^version 2 of shop\.order\.v1\.OrderCreated is later than version 1.*: update it/);
    expect(reasons[2]).toMatch(/^its data is no shop\.order\.v1\.OrderCreated in application\/json: /);
  });

  test("ids and subjects that no column holds are taken in all the same, once", async () => {
    await using readers = await openReaders(kind, { trouble: failsFor(new Set(["created bad"])) });
    const { takeIn, store } = readers.reader;
    const more = { id: "x".repeat(300), data: orderEvent("created", "a").data };
    const odd = orderEvent("created", "s\0".repeat(300), more);
    const bad = orderEvent("created", "s\0".repeat(300), { id: "nul\0", data: orderEvent("created", "bad").data });
    await takeIn({ source, events: [odd, bad] });
    await takeIn({ source, events: [bad, odd] });
    expect(await written(store)).toEqual(["created a"]);
    expect(await parkedIn(store)).toMatchObject([{ attempts: 1 }]);
  });

  test("JSON from somebody else is handled like protobuf", async () => {
    await using readers = await openReaders(kind);
    const { takeIn, store } = readers.reader;
    const data = new TextEncoder().encode('{"order":{"id":"a","unheardOf":1}}');
    await takeIn({ source, events: [orderEvent("created", "a", { dataContentType: "application/json", data })] });
    expect(await written(store)).toEqual(["created a"]);
  });

  test("what a handler publishes goes with what it writes, in the trace of the event, once", async () => {
    const outbox = createOutbox({ source: "user", rows: userEventRows.events });
    const bad = new Set(["created b"]);
    await using readers = await openReaders(kind, {
      trouble: async (what, em) => {
        await outbox.append(em, UserDeletedSchema, { id: what === "created a" ? 1n : 2n });
        await failsFor(bad)(what, em);
      },
    });
    const { takeIn, store } = readers.reader;
    const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const events = [orderEvent("created", "a", { traceParent }), orderEvent("created", "b")];
    await takeIn({ source, events });
    await takeIn({ source, events });
    const published = await store.read((em) => em.find(userEventRows.events, {}));
    expect(published).toMatchObject([{ subject: "1", type: "shop.user.v1.UserDeleted", traceParent }]);
  });

  test("what was taken in and what is parked is told to those who count", async () => {
    const taken: unknown[] = [];
    let counts = {};
    const hooks: EventHooks = {
      takenIn: (event) => void taken.push(event),
      parked: (told) => {
        counts = told;
      },
    };
    await using readers = await openReaders(kind, { trouble: failsFor(new Set(["created b"])), hooks });
    const { reader, clock } = readers;
    const time = timestampFromMs(clock.wall() - 250);
    await reader.takeIn({ source, events: [orderEvent("created", "a", { time }), orderEvent("created", "b")] });
    expect(taken).toEqual([{ source, type: "shop.order.v1.OrderCreated", delayMs: 250 }]);
    await inTime(clock, "one waits", async () => isDeepStrictEqual(counts, { source, waiting: 1, dead: 0 }));
    await inTime(clock, "one is dead", async () => isDeepStrictEqual(counts, { source, waiting: 0, dead: 1 }));
  });
}
