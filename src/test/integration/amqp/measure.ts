import { openAmqpSink } from "../../../events/amqp/amqp-sink.ts";
import { openAmqpSource } from "../../../events/amqp/amqp-source.ts";
import { eventually } from "../../../testing/eventually.ts";
import { freshService, freshType, Inbox, orderEvents, registry } from "./events.ts";
import { openPlain, removeQueues, sharedBroker } from "./shared-broker.ts";

/**
 * Measures how many events a second go into a queue and come out of it: scripts/rabbitmq node
 * src/test/integration/amqp/measure.ts
 */
const amqpUrl = sharedBroker();
const [count, batch] = [50_000, 500];

const perSecond = (beganAt: number) => Math.round((count * 1_000) / (performance.now() - beganAt));

for (const queues of ["quorum", "classic"] as const) {
  for (const format of ["protobuf", "json"] as const) {
    const [service, type, inbox] = [freshService(), freshType(), new Inbox()];
    const open = () => openAmqpSource({ amqpUrl, service, types: [type], registry, queues, takeIn: inbox.takeIn });
    await (await open())[Symbol.asyncDispose](); // the queue is there from now on
    const events = orderEvents(type, count, 1_000);

    await using sink = await openAmqpSink({ amqpUrl, service: "order", registry, format });
    const sentFrom = performance.now();
    for (let at = 0; at < count; at += batch) await sink.send(events.slice(at, at + batch));
    const sent = perSecond(sentFrom);

    const takenFrom = performance.now();
    await using _ = await open();
    await eventually("all are there", () => inbox.taken.length === count, { withinMs: 120_000, everyMs: 1 });
    const taken = perSecond(takenFrom);
    const size = inbox.batches.length;
    process.stdout.write(`${queues} queue, ${format}: sent ${sent}/s, taken in ${taken}/s in ${size} batches\n`);
    await using plain = await openPlain(amqpUrl);
    if ((await plain.channel.checkQueue(`heddle.${service}`)).messageCount > 0) throw new Error("something was left");
    await _[Symbol.asyncDispose]();
    await removeQueues(amqpUrl, service);
  }
}
