import type { Options } from "amqplib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openAmqpSink } from "../../../events/amqp/amqp-sink.ts";
import { openAmqpSource } from "../../../events/amqp/amqp-source.ts";
import { outgoing } from "../../../events/amqp/event-message.ts";
import { deadQueueOf, eventExchange, queueOf } from "../../../events/amqp/topology.ts";
import { eventually } from "../../../testing/eventually.ts";
import { fakeClock } from "../../../testing/fake-clock.ts";
import {
  freshService,
  freshType,
  Inbox,
  idsBySubject,
  orderEvent,
  orderEvents,
  readableLog,
  registry,
} from "./events.ts";
import { openPlain, type PlainChannel, removeQueues, sharedBroker } from "./shared-broker.ts";

const amqpUrl = sharedBroker();
const type = freshType();
let service = "";
let plain: PlainChannel;

beforeEach(async () => {
  service = freshService();
  plain = await openPlain(amqpUrl);
});
afterEach(async () => {
  await plain[Symbol.asyncDispose]();
  await removeQueues(amqpUrl, service);
});

const good = () => outgoing(orderEvent(type, 1, 1), "protobuf", registry);
const garbage = Buffer.from("\xff\xff garbage", "latin1");

/** A message of ours in which something was changed. */
function spoiled(headers: Record<string, unknown>, options: Options.Publish = {}, content = good().content) {
  const fine = good();
  return { content, options: { ...fine.options, ...options, headers: { ...fine.options.headers, ...headers } } };
}

test.each([
  ["without headers", { content: garbage, options: { headers: {} } }, "its header cloudEvents:specversion is missing"],
  [
    "of another version of CloudEvents",
    spoiled({ "cloudEvents:specversion": "2.0" }),
    'its header cloudEvents:specversion is "2.0", not "1.0"',
  ],
  ["without an id", spoiled({ "cloudEvents:id": "" }), 'its header cloudEvents:id is ""'],
  ["with an id that is no text", spoiled({ "cloudEvents:id": 7 }), "its header cloudEvents:id is no text but a number"],
  [
    "with too long an id",
    spoiled({ "cloudEvents:id": "i".repeat(37) }),
    "its header cloudEvents:id is longer than 36 characters",
  ],
  [
    "with a subject that no database keeps",
    spoiled({ "cloudEvents:subject": "a\0b" }),
    "its header cloudEvents:subject has control characters in it",
  ],
  [
    "of a type that is not handled",
    spoiled({ "cloudEvents:type": "x.Other" }),
    "its type x.Other is not handled by this version of the service",
  ],
  [
    "with an unknown payload",
    spoiled({ "cloudEvents:dataschema": "https://example.com/x.Other" }),
    "its payload x.Other is not known here",
  ],
  ["of another media type", spoiled({}, { contentType: "text/plain" }), 'its content type is "text/plain", neither'],
  ["with garbage for Protobuf", spoiled({}, {}, garbage), ""],
  ["with garbage for JSON", spoiled({}, { contentType: "application/json" }, garbage), ""],
] as const)(
  "a message %s goes to the dead letters with the reason, and the next one is taken in",
  async (_, bad, reason) => {
    const [inbox, { log, lines }] = [new Inbox(), readableLog()];
    await using _source = await openAmqpSource({
      amqpUrl,
      service,
      types: [type],
      registry,
      takeIn: inbox.takeIn,
      log,
    });
    plain.channel.publish(eventExchange, type, bad.content, bad.options);
    const { content, options } = good();
    plain.channel.publish(eventExchange, type, content, options);
    await eventually("the good one is there", () => inbox.taken.length === 1);
    const dead = await eventually("the bad one is dead", () =>
      plain.channel.get(deadQueueOf(service), { noAck: true }),
    );
    expect(dead.content).toEqual(bad.content);
    expect(dead.properties.headers).toMatchObject({ ...bad.options.headers, "x-heddle-routing-key": type });
    expect(dead.properties.headers?.["x-heddle-reason"]).toContain(reason);
    expect(dead.properties.deliveryMode).toBe(2);
    expect(lines.join("")).toContain("a message is no event and was put aside");
    expect((await plain.channel.checkQueue(queueOf(service))).messageCount).toBe(0);
  },
);

test("a message that is too large is put aside by RabbitMQ itself, and the log says why", async () => {
  const [inbox, { log, lines }] = [new Inbox(), readableLog()];
  await using _ = await openAmqpSource({
    amqpUrl,
    service,
    types: [type],
    registry,
    takeIn: inbox.takeIn,
    log,
    maxPayloadBytes: 1_000,
  });
  const { content, options } = spoiled({}, {}, Buffer.alloc(1_001));
  plain.channel.publish(eventExchange, type, content, options);
  const dead = await eventually("it is dead", () => plain.channel.get(deadQueueOf(service), { noAck: true }));
  expect(dead.content).toHaveLength(1_001);
  expect(lines.join("")).toContain("its payload has 1001 bytes, more than 1000");
  expect(inbox.taken).toEqual([]);
});

test("while the database is away a batch waits with its order, nothing else is asked for, and the log does not repeat itself", async () => {
  const [inbox, clock, { log, lines }] = [new Inbox(), fakeClock(), readableLog()];
  let [away, tries] = [true, 0];
  const takeIn: typeof inbox.takeIn = async (batch) => {
    tries++;
    if (away) throw new Error("connection refused");
    await inbox.takeIn(batch);
  };
  await using _ = await openAmqpSource({ amqpUrl, service, types: [type], registry, takeIn, clock, log, prefetch: 50 });
  await using sink = await openAmqpSink({ amqpUrl, service: "order", registry });
  const events = orderEvents(type, 400);
  await sink.send(events);
  await eventually("it was tried", () => tries > 0);
  for (let i = 0; i < 11; i++) await clock.advance(5_000);
  expect(tries).toBeGreaterThan(5);
  expect(lines.filter((line) => line.includes("events cannot be taken in; they wait"))).toHaveLength(1);
  const ready = await eventually("the rest waits in the queue", async () => {
    const { messageCount } = await plain.channel.checkQueue(queueOf(service));
    return messageCount === 350 && messageCount;
  });
  expect(ready).toBe(350);
  away = false;
  await eventually("all are there", async () => {
    await clock.advance(5_000);
    return inbox.taken.length === events.length;
  });
  expect(inbox.bySubject).toEqual(idsBySubject(events));
  expect(inbox.redelivered).toBe(0);
});
