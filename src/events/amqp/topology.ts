import type { Channel, Options } from "amqplib";
import { messageOf } from "../../base/message-of.ts";
import { BrokerRefusal, type Connection } from "./connection.ts";

/** Which kind of queue RabbitMQ keeps for a service: AMQP_QUEUES. */
export type QueueKind = "quorum" | "classic";

/** Where every event is sent to, with its type as the routing key. */
export const eventExchange = "heddle.events";
/** Where messages go that a service cannot read. */
export const deadExchange = "heddle.dead";
/** More dead messages than these push the oldest out. */
const maxDeadMessages = 100_000;

/** The queue of the events that a service has yet to take in. */
export const queueOf = (service: string) => `heddle.${service}`;
/** The queue of the messages that it could not read. */
export const deadQueueOf = (service: string) => `heddle.${service}.dead`;

/** What a service needs to be there. */
export interface Wanted {
  readonly service: string;
  /** The types of the events it handles. */
  readonly types: readonly string[];
  readonly queues: QueueKind;
}

/** Declares what a publisher sends to. */
export function declareExchange(connection: Connection): Promise<void> {
  return onChannel(connection, eventExchange, (channel) => assertEvents(channel));
}

/**
 * Declares the queue of a service, its dead letters and what it is bound to; tells whether the queue was not there before,
 * so that earlier events are not in it. A queue that is there with other properties is refused, with how to mend it.
 *
 * Bindings that are there and not wanted stay: another version of the service may want them.
 */
export async function declareQueues(connection: Connection, { service, types, queues }: Wanted): Promise<boolean> {
  const [queue, dead] = [queueOf(service), deadQueueOf(service)];
  const isNew = !(await exists(connection, queue));
  await onChannel(connection, eventExchange, (channel) => assertEvents(channel));
  await onChannel(connection, deadExchange, async (channel) => {
    await channel.assertExchange(deadExchange, "direct", { durable: true });
  });
  await onChannel(connection, dead, async (channel) => {
    await channel.assertQueue(dead, deadOptions(queues));
    await channel.bindQueue(dead, deadExchange, queue);
  });
  await onChannel(connection, queue, async (channel) => {
    await channel.assertQueue(queue, liveOptions(queue, queues));
    for (const type of types) await channel.bindQueue(queue, eventExchange, type);
  });
  return isNew;
}

/**
 * Removes a queue that RabbitMQ lists and that nothing of it answers for, as happens to a quorum queue when RabbitMQ is killed within a
 * second of making it: as long as it is listed, nobody who publishes to it is told that anything is kept.
 */
export function removeQueue(connection: Connection, queue: string): Promise<void> {
  return onChannel(connection, queue, async (channel) => {
    await channel.deleteQueue(queue);
  });
}

async function assertEvents(channel: Channel): Promise<void> {
  await channel.assertExchange(eventExchange, "topic", { durable: true });
}

/** One consumer at a time: the replicas of a service would take in what belongs together out of order. */
function liveOptions(queue: string, queues: QueueKind): Options.AssertQueue {
  const own = { "x-queue-type": queues, "x-single-active-consumer": true };
  return { durable: true, deadLetterExchange: deadExchange, deadLetterRoutingKey: queue, arguments: own };
}

function deadOptions(queues: QueueKind): Options.AssertQueue {
  const own = { "x-queue-type": queues };
  return { durable: true, maxLength: maxDeadMessages, overflow: "drop-head", arguments: own };
}

async function exists(connection: Connection, queue: string): Promise<boolean> {
  const channel = await openChannel(connection);
  try {
    await channel.checkQueue(queue);
    await channel.close();
    return true;
  } catch (reason) {
    if (codeOf(reason) === 404) return false;
    throw reason;
  }
}

/** RabbitMQ closes the channel on which something was refused, so each thing has one of its own. */
async function onChannel(connection: Connection, thing: string, use: (channel: Channel) => Promise<void>) {
  const channel = await openChannel(connection);
  try {
    await use(channel);
  } catch (reason) {
    if (codeOf(reason) === 406) throw new BrokerRefusal(mismatch(thing, messageOf(reason)), { cause: reason });
    if (codeOf(reason) === 403)
      throw new BrokerRefusal(`AMQP_URL: its user may not use "${thing}": ${messageOf(reason)}`);
    throw reason;
  }
  await channel.close();
}

async function openChannel({ model }: Connection): Promise<Channel> {
  const channel = await model.createChannel();
  channel.on("error", () => {}); // whoever asked is told
  return channel;
}

const codeOf = (reason: unknown) => (reason as { code?: unknown } | undefined)?.code;

/** "inequivalent arg 'x-queue-type' for queue 'heddle.user' in vhost '/': received 'quorum' but current is 'classic'" */
function mismatch(thing: string, told: string): string {
  const [, argument = "", kind = "queue"] = /inequivalent arg '([^']*)' for (queue|exchange)/.exec(told) ?? [];
  const [, wanted = "", current = ""] = /received (.*?) but current is (.*?)"?$/.exec(told) ?? [];
  const differs = argument ? `its ${argument} is ${current}, not ${wanted}` : told;
  const setting = argument === "x-queue-type" ? `set AMQP_QUEUES=${current.replaceAll(/[^a-z]/g, "")}, or ` : "";
  const remove =
    kind === "exchange"
      ? `rabbitmqadmin delete exchange name=${thing}`
      : `rabbitmqctl delete_queue ${thing} --if-empty`;
  return `RabbitMQ has a ${kind} "${thing}" of another make (${differs}): ${setting}remove it with "${remove}", then start again`;
}
