import { type Channel, connect } from "amqplib";
import { deadQueueOf, queueOf } from "../../../events/amqp/topology.ts";

/** The RabbitMQ that tests share which do it no harm: see scripts/rabbitmq. */
export function sharedBroker(): string {
  const url = process.env.HEDDLE_TEST_AMQP;
  if (!url)
    throw new Error("HEDDLE_TEST_AMQP is not set: run this by `make test-integration`, or beside scripts/rabbitmq");
  return url;
}

/** A channel of somebody who has never heard of Heddle. */
export interface PlainChannel extends AsyncDisposable {
  readonly channel: Channel;
}

/** Connects with the plain library. */
export async function openPlain(amqpUrl: string): Promise<PlainChannel> {
  const connection = await connect(amqpUrl);
  connection.on("error", () => {});
  const channel = await connection.createChannel();
  channel.on("error", () => {});
  const close = () => connection.close().catch(() => {});
  return { channel, [Symbol.asyncDispose]: close };
}

/** Removes the queues of services that a test has played. */
export async function removeQueues(amqpUrl: string, ...services: readonly string[]): Promise<void> {
  await using plain = await openPlain(amqpUrl);
  for (const service of services) {
    await plain.channel.deleteQueue(queueOf(service));
    await plain.channel.deleteQueue(deadQueueOf(service));
  }
}
