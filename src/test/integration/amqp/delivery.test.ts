import { afterEach, expect, test } from "vitest";
import { openAmqpSink } from "../../../events/amqp/amqp-sink.ts";
import { openAmqpSource } from "../../../events/amqp/amqp-source.ts";
import { eventually } from "../../../testing/eventually.ts";
import { freshService, freshType, Inbox, idsBySubject, orderEvents, registry } from "./events.ts";
import { removeQueues, sharedBroker } from "./shared-broker.ts";

const amqpUrl = sharedBroker();
const services: string[] = [];

function played(): string {
  const service = freshService();
  services.push(service);
  return service;
}

afterEach(async () => {
  await removeQueues(amqpUrl, ...services.splice(0));
});

test.each(["quorum", "classic"] as const)("events arrive once each and in order over a %s queue", async (queues) => {
  const [service, type, inbox] = [played(), freshType(), new Inbox()];
  await using _ = await openAmqpSource({ amqpUrl, service, types: [type], registry, queues, takeIn: inbox.takeIn });
  await using sink = await openAmqpSink({ amqpUrl, service: "order", registry });
  const events = orderEvents(type, 3_000);
  for (let at = 0; at < events.length; at += 500) await sink.send(events.slice(at, at + 500));
  await eventually("all are there", () => inbox.taken.length >= events.length);
  expect(inbox.bySubject).toEqual(idsBySubject(events));
  expect(inbox.redelivered).toBe(0);
  expect(Math.max(...inbox.batches.map((batch) => batch.events.length))).toBeLessThanOrEqual(500);
});

test.each(["protobuf", "json"] as const)(
  "an event that travels as %s is what it was when it arrives",
  async (format) => {
    const [service, type, inbox] = [played(), freshType(), new Inbox()];
    await using _ = await openAmqpSource({ amqpUrl, service, types: [type], registry, takeIn: inbox.takeIn });
    await using sink = await openAmqpSink({ amqpUrl, service: "order", registry, format });
    const [event] = orderEvents(type, 1);
    if (event === undefined) throw new Error("no event");
    event.traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await sink.send([event]);
    await eventually("it is there", () => inbox.taken.length === 1);
    expect(inbox.taken).toEqual([event]);
  },
);
