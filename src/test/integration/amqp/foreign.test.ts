import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { ConsumeMessage } from "amqplib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openAmqpSink } from "../../../events/amqp/amqp-sink.ts";
import { openAmqpSource } from "../../../events/amqp/amqp-source.ts";
import { eventExchange } from "../../../events/amqp/topology.ts";
import { eventually } from "../../../testing/eventually.ts";
import { freshService, freshType, Inbox, orderEvent, orderEvents, registry } from "./events.ts";
import { openPlain, type PlainChannel, removeQueues, sharedBroker } from "./shared-broker.ts";

const amqpUrl = sharedBroker();
let queue = "";
let plain: PlainChannel;

beforeEach(async () => {
  queue = `somebody-elses-${randomUUID()}`;
  plain = await openPlain(amqpUrl);
  await plain.channel.assertExchange(eventExchange, "topic", { durable: true });
});
afterEach(async () => {
  await plain.channel.deleteQueue(queue);
  await plain[Symbol.asyncDispose]();
});

/** What the order events of `orderEvents` are in JSON. */
const bodyOf = (subject: number, version: number) => ({
  order: { id: String(subject), userId: "1", version, items: [{ sku: "tea", qty: 2 }] },
});

test("a plain consumer with a durable queue follows the order events in JSON and acknowledges them", async () => {
  await plain.channel.assertQueue(queue, { durable: true });
  await plain.channel.bindQueue(queue, eventExchange, "shop.order.v1.#");
  const got: ConsumeMessage[] = [];
  await plain.channel.consume(queue, (message) => {
    if (message === null) return;
    got.push(message);
    plain.channel.ack(message);
  });
  await using sink = await openAmqpSink({ amqpUrl, service: "order", registry, format: "json" });
  const event = orderEvent("shop.order.v1.OrderCreated", 5, 1);
  await sink.send([event, orderEvent("shop.order.v1.OrderCancelled", 5, 2)]);
  await eventually("both are there", () => got.length === 2);
  expect(got.map(({ content }) => JSON.parse(content.toString()))).toEqual([bodyOf(5, 1), bodyOf(5, 2)]);
  expect(got.map(({ fields }) => fields.routingKey)).toEqual([event.type, "shop.order.v1.OrderCancelled"]);
  expect(got[0]?.properties).toMatchObject({
    ...{ deliveryMode: 2, contentType: "application/json", messageId: event.id, type: event.type, appId: "order" },
    timestamp: Date.UTC(2026, 10, 21, 12) / 1_000,
    headers: {
      "cloudEvents:specversion": "1.0",
      "cloudEvents:id": event.id,
      "cloudEvents:source": "order",
      "cloudEvents:type": event.type,
      "cloudEvents:subject": "5",
      "cloudEvents:time": "2026-11-21T12:00:00.000Z",
      "cloudEvents:dataschema": "https://type.googleapis.com/shop.order.v1.OrderCreated",
      "cloudEvents:dataversion": 1,
    },
  });
});

test("what a plain consumer has not acknowledged when it goes away comes again", async () => {
  await plain.channel.assertQueue(queue, { durable: true });
  const type = freshType();
  await plain.channel.bindQueue(queue, eventExchange, type);
  await using sink = await openAmqpSink({ amqpUrl, service: "order", registry, format: "json" });
  await sink.send(orderEvents(type, 3));
  {
    await using leaving = await openPlain(amqpUrl);
    await eventually("it has one", () => leaving.channel.get(queue));
  }
  await eventually("all wait again", async () => (await plain.channel.checkQueue(queue)).messageCount === 3);
});

test("a consumer in Python, on pika, follows the order events", async () => {
  const python = process.env.HEDDLE_TEST_PYTHON;
  if (!python) throw new Error("HEDDLE_TEST_PYTHON is not set: run this by `make test-integration`, which makes it");
  const script = join(import.meta.dirname, "follow_orders.py");
  const child = execFile(python, [script, amqpUrl, queue, "shop.order.v1.#", "20"]);
  let [output, complaints] = ["", ""];
  child.stdout?.on("data", (text: string) => {
    output += text;
  });
  child.stderr?.on("data", (text: string) => {
    complaints += text;
  });
  await eventually("it has bound its queue", () => {
    if (child.exitCode) throw new Error(complaints);
    return output.startsWith("ready");
  });
  await using sink = await openAmqpSink({ amqpUrl, service: "order", registry, format: "json" });
  const events = Array.from({ length: 20 }, (_, i) => orderEvent("shop.order.v1.OrderCreated", i % 3, i));
  await sink.send(events);
  await eventually("it has seen them all", () => child.exitCode === 0);
  const seen = output
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => JSON.parse(line));
  expect(seen.map(({ messageId }) => messageId)).toEqual(events.map(({ id }) => id));
  expect(seen[4]).toMatchObject({ deliveryMode: 2, contentType: "application/json", subject: "1", body: bodyOf(1, 4) });
});

test("an event of a plain publisher, with the fewest of CloudEvents' attributes and JSON, is taken in", async () => {
  const [service, inbox] = [freshService(), new Inbox()];
  const type = "shop.order.v1.OrderCreated";
  await using _ = await openAmqpSource({ amqpUrl, service, types: [type], registry, takeIn: inbox.takeIn });
  const id = randomUUID();
  const attributes = { specversion: "1.0", id, source: "till", type, subject: "5" };
  const headers = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`cloudEvents_${name}`, value]));
  const body = JSON.stringify({ ...bodyOf(5, 1), addedSinceThen: true });
  plain.channel.publish(eventExchange, type, Buffer.from(body), {
    headers,
    contentType: "application/json; charset=utf-8",
  });
  await eventually("it is there", () => inbox.taken.length === 1);
  const [taken] = inbox.taken;
  expect(taken).toMatchObject({ id, source: "till", type, subject: "5", dataSchema: type, version: 1 });
  expect(taken?.data).toEqual(orderEvent(type, 5, 1).data);
  await removeQueues(amqpUrl, service);
});
