import { afterEach, expect, test } from "vitest";
import { openAmqpSource } from "../../../events/amqp/amqp-source.ts";
import { deadQueueOf, queueOf } from "../../../events/amqp/topology.ts";
import { fakeClock } from "../../../testing/fake-clock.ts";
import { freshService, freshType, registry } from "./events.ts";
import { openPlain, removeQueues, sharedBroker } from "./shared-broker.ts";

const amqpUrl = sharedBroker();
const services: string[] = [];
const takeIn = async () => {};

afterEach(async () => {
  await removeQueues(amqpUrl, ...services.splice(0));
});

function source(service: string, queues: "quorum" | "classic", { url = amqpUrl, onNewQueue = () => {} } = {}) {
  services.push(service);
  return openAmqpSource({ amqpUrl: url, service, types: [freshType()], registry, queues, takeIn, onNewQueue });
}

test("a queue of another kind is refused with its name, the argument, and how to mend it", async () => {
  const service = freshService();
  await (await source(service, "classic"))[Symbol.asyncDispose]();
  const queue = deadQueueOf(service);
  await expect(source(service, "quorum")).rejects.toThrow(
    `RabbitMQ has a queue "${queue}" of another make (its x-queue-type is 'classic', not 'quorum'): ` +
      `set AMQP_QUEUES=classic, or remove it with "rabbitmqctl delete_queue ${queue} --if-empty", then start again`,
  );
});

test("a queue that somebody made by hand without an argument of ours is refused with that argument", async () => {
  const service = freshService();
  await using plain = await openPlain(amqpUrl);
  await plain.channel.assertQueue(queueOf(service), { durable: true, arguments: { "x-queue-type": "quorum" } });
  const refused = source(service, "quorum");
  await expect(refused).rejects.toThrow(`RabbitMQ has a queue "${queueOf(service)}" of another make`);
  await expect(refused).rejects.toThrow(/its x-[a-z-]+ is none, not /);
});

test("a user whom RabbitMQ does not let in is told to look at AMQP_URL, without the password", async () => {
  const url = new URL(amqpUrl);
  url.password = "wrong-and-secret";
  const error = await source(freshService(), "quorum", { url: url.href }).catch((reason: Error) => reason);
  expect(String(error)).toContain(`AMQP_URL: RabbitMQ at ${url.host} lets nobody in by it`);
  expect(String(error)).not.toContain("secret");
});

test("who is refused at the start leaves nothing behind that goes on trying", async () => {
  const service = freshService();
  await (await source(service, "classic"))[Symbol.asyncDispose]();
  const [clock, types] = [fakeClock(), [freshType()]];
  await expect(openAmqpSource({ amqpUrl, service, types, registry, takeIn, clock })).rejects.toThrow("of another make");
  expect(clock.pending).toBe(0);
});

test("a virtual host that is not there is named", async () => {
  const url = `${amqpUrl}/nowhere`;
  await expect(source(freshService(), "quorum", { url })).rejects.toThrow(/AMQP_URL: .*virtual host "nowhere"/);
});

test("that the queue was not there before is told once, and again when RabbitMQ has lost it", async () => {
  const service = freshService();
  let told = 0;
  const onNewQueue = () => void told++;
  await (await source(service, "quorum", { onNewQueue }))[Symbol.asyncDispose]();
  await (await source(service, "quorum", { onNewQueue }))[Symbol.asyncDispose]();
  expect(told).toBe(1);
  await removeQueues(amqpUrl, service);
  await (await source(service, "quorum", { onNewQueue }))[Symbol.asyncDispose]();
  expect(told).toBe(2);
});
