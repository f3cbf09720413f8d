import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Event } from "../../../../gen/heddle/event/v1/event_pb.ts";
import { errorReason } from "../../../call/errors.ts";
import { openAmqpSink } from "../../../events/amqp/amqp-sink.ts";
import { openAmqpSource } from "../../../events/amqp/amqp-source.ts";
import type { EventSink } from "../../../events/delivery.ts";
import { eventually } from "../../../testing/eventually.ts";
import { fakeClock } from "../../../testing/fake-clock.ts";
import { openBroker, type TestBroker } from "../../../testing/open-broker.ts";
import { freshService, freshType, Inbox, idsBySubject, orderEvents, readableLog, registry } from "./events.ts";

vi.setConfig({ testTimeout: 300_000 }); // a broker takes its time to come back

let broker: TestBroker;

beforeAll(async () => {
  broker = await openBroker();
});
beforeEach(() => broker.start());
afterAll(() => broker[Symbol.asyncDispose]());

/** RabbitMQ may lose a quorum queue for good when it is killed within a second of declaring it, before there is anything in it. */
const declaredForGood = () => sleep(3_000);

/** Sends as a relay does: what was refused is sent again until it is confirmed. Counts the refusals. */
async function relay(sink: EventSink, events: readonly Event[], batch = 100): Promise<number> {
  let refused = 0;
  for (let at = 0; at < events.length; at += batch) {
    await eventually(
      "the batch is confirmed",
      async () => {
        try {
          await sink.send(events.slice(at, at + batch));
          return true;
        } catch (reason) {
          expect(ConnectError.from(reason).code).toBe(Code.Unavailable);
          expect(errorReason(ConnectError.from(reason))?.reason).toBe("BROKER_UNAVAILABLE");
          refused++;
          return false;
        }
      },
      { withinMs: 60_000 },
    );
  }
  return refused;
}

test.each(["quorum", "classic"] as const)(
  "nothing that was confirmed is lost when the broker is killed in the middle, over a %s queue",
  async (queues) => {
    const [service, type, inbox] = [freshService(), freshType(), new Inbox()];
    const amqpUrl = broker.url;
    await using _ = await openAmqpSource({ amqpUrl, service, types: [type], registry, queues, takeIn: inbox.takeIn });
    await using sink = await openAmqpSink({ amqpUrl, service: "order", registry });
    await declaredForGood();
    const events = orderEvents(type, 10_000);
    const sending = relay(sink, events);
    await eventually("some are there", () => inbox.taken.length > 1_000);
    await broker.kill();
    await broker.start();
    expect(await sending).toBeGreaterThan(0);
    await eventually("all are there", () => inbox.taken.length >= events.length, { withinMs: 60_000 });
    expect(inbox.bySubject).toEqual(idsBySubject(events));
  },
);

test("a queue that a broker has lost, killed right after making it, is made anew, and publishers go on", async () => {
  const [type, amqpUrl] = [freshType(), broker.url];
  const { log, lines } = readableLog();
  const inboxes = Array.from({ length: 12 }, () => new Inbox()); // one or two of so many get lost
  const made = inboxes.map(() => 0);
  await using opening = new AsyncDisposableStack();
  await Promise.all(
    inboxes.map(async ({ takeIn }, at) => {
      const onNewQueue = () => {
        made[at] = (made[at] ?? 0) + 1;
      };
      const about = { amqpUrl, service: freshService(), types: [type], registry, takeIn, onNewQueue, log };
      opening.use(await openAmqpSource(about));
    }),
  );
  await broker.kill();
  await broker.start();
  await using sink = await openAmqpSink({ amqpUrl, service: "order", registry });
  const removed = () => lines.filter((line) => line.includes("does not answer for it")).length;
  const again = () => made.filter((times) => times > 1).length;
  await eventually("all are back", () => lines.filter((line) => line.includes("RabbitMQ is back")).length >= 12, {
    withinMs: 120_000,
  });
  const events = orderEvents(type, 20);
  await relay(sink, events);
  await eventually("all are there", () => inboxes.every(({ taken }) => taken.length >= 20), { withinMs: 60_000 });
  expect(again()).toBeGreaterThanOrEqual(removed());
});

test("what was sent before anybody followed, and before the broker was killed, is there afterwards in order", async () => {
  const [service, type, inbox] = [freshService(), freshType(), new Inbox()];
  const amqpUrl = broker.url;
  const open = () => openAmqpSource({ amqpUrl, service, types: [type], registry, takeIn: inbox.takeIn });
  await (await open())[Symbol.asyncDispose](); // the queue is there from now on
  await declaredForGood();
  await using sink = await openAmqpSink({ amqpUrl, service: "order", registry });
  const events = orderEvents(type, 5_000);
  await relay(sink, events, 500);
  await broker.kill();
  await broker.start();
  await using _ = await open();
  await eventually("the backlog is drained", () => inbox.taken.length >= events.length, { withinMs: 60_000 });
  expect(inbox.bySubject).toEqual(idsBySubject(events));
});

test("a broker that is away when a service starts is found when it comes, and the log tells of both", async () => {
  await broker.kill();
  const [service, type, inbox, { log, lines }] = [freshService(), freshType(), new Inbox(), readableLog()];
  const amqpUrl = broker.url;
  await using _ = await openAmqpSource({
    amqpUrl,
    service,
    types: [type],
    registry,
    takeIn: inbox.takeIn,
    log,
  });
  await using sink = await openAmqpSink({ amqpUrl, service: "order", registry });
  await expect(sink.send(orderEvents(type, 1))).rejects.toThrow("RabbitMQ is not connected");
  await broker.start();
  await eventually("the source is there", () => lines.some((line) => line.includes("RabbitMQ is back")));
  const events = orderEvents(type, 10);
  await relay(sink, events);
  await eventually("they are there", () => inbox.taken.length >= 10);
  expect(lines.filter((line) => line.includes("RabbitMQ is away"))).toHaveLength(1);
});

test("a broker that answers nothing is given up after the timeout, and what it was given is sent again", async () => {
  const [service, type, inbox, clock] = [freshService(), freshType(), new Inbox(), fakeClock()];
  const amqpUrl = broker.url;
  await using _ = await openAmqpSource({ amqpUrl, service, types: [type], registry, takeIn: inbox.takeIn });
  await using sink = await openAmqpSink({ amqpUrl, service: "order", registry, clock });
  const events = orderEvents(type, 100);
  broker.freeze();
  const sent = sink.send(events);
  const refused = expect(sent).rejects.toThrow(
    "RabbitMQ has not confirmed all of 100 events: no answer within 15000 ms",
  );
  await clock.advance(15_000);
  await refused;
  await expect(sink.send(events)).rejects.toThrow("RabbitMQ is not connected");
  broker.thaw();
  await eventually("it is sent again", async () => {
    await clock.advance(5_000);
    return sink.send(events).then(
      () => true,
      () => false,
    );
  });
  await eventually("they are there", () => inbox.taken.length >= 100);
  expect(inbox.bySubject).toEqual(idsBySubject(events));
});

test("a broker that is short of memory is given nothing until it has room, however often one tries", async () => {
  const [service, type, inbox, clock, { log, lines }] = [
    freshService(),
    freshType(),
    new Inbox(),
    fakeClock(),
    readableLog(),
  ];
  await broker.kill();
  await broker.start({ "vm_memory_high_watermark.absolute": "1MB" });
  const amqpUrl = broker.url;
  await using _ = await openAmqpSource({ amqpUrl, service, types: [type], registry, takeIn: inbox.takeIn });
  await using sink = await openAmqpSink({ amqpUrl, service: "order", registry, clock, log });
  const events = orderEvents(type, 100);
  const first = expect(sink.send(events)).rejects.toThrow("no answer within 15000 ms");
  await eventually("it says why", () => lines.some((line) => line.includes("takes no events")));
  await clock.advance(15_000);
  await first;
  for (let i = 0; i < 1_000; i++)
    await expect(sink.send(events)).rejects.toThrow("RabbitMQ takes nothing at present: ");
  expect(inbox.taken).toEqual([]);
  await declaredForGood();
  await broker.kill();
  await broker.start();
  await eventually("it is sent", async () => {
    await clock.advance(5_000);
    return sink.send(events).then(
      () => true,
      () => false,
    );
  });
  await eventually("they are there", () => inbox.taken.length >= 100);
  expect(inbox.bySubject).toEqual(idsBySubject(events));
});
