import type { Options } from "amqplib";
import { messageOf } from "../../base/message-of.ts";
import { answering, type Patience } from "./answering.ts";
import { codeOf, onChannel, openChannel } from "./channels.ts";
import type { Connection } from "./connection.ts";
import { deadExchange, deadQueueOf, declareExchange, eventExchange, type QueueKind, queueOf } from "./topology.ts";

/** More dead messages than these push the oldest out. */
const maxDeadMessages = 100_000;

/** What a service needs to be there. */
export interface Wanted extends Patience {
  readonly service: string;
  /** The types of the events it handles. */
  readonly types: readonly string[];
  readonly queues: QueueKind;
}

/**
 * Declares the queue of a service, its dead letters and what it is bound to; tells whether the queue was not there before,
 * so that earlier events are not in it. A queue that is there with other properties is refused, with how to mend it.
 *
 * Bindings that are there and not wanted stay: another version of the service may want them.
 */
export async function declareQueues(connection: Connection, wanted: Wanted): Promise<boolean> {
  const { service, types, queues } = wanted;
  const [queue, dead] = [queueOf(service), deadQueueOf(service)];
  const answered = <T>(of: string, asked: Promise<T>) => answering(connection, of, asked, wanted);
  const isNew = !(await answered(queue, exists(connection, queue)));
  await declareExchange(connection);
  await onChannel(connection, deadExchange, async (channel) => {
    await channel.assertExchange(deadExchange, "direct", { durable: true });
  });
  const declareDead = onChannel(connection, dead, async (channel) => {
    await channel.assertQueue(dead, deadOptions(queues));
    await channel.bindQueue(dead, deadExchange, queue);
  });
  await answered(dead, declareDead);
  const declareLive = onChannel(connection, queue, async (channel) => {
    await channel.assertQueue(queue, liveOptions(queue, queues));
    for (const type of types) await channel.bindQueue(queue, eventExchange, type);
  });
  await answered(queue, declareLive);
  return isNew;
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
    if (codeOf(reason) === 404 && !isElsewhere(reason)) return false;
    throw reason;
  }
}

/** "NOT_FOUND - home node 'rabbit@b' of durable queue 'heddle.user' in vhost '/' is down or inaccessible": it comes back. */
function isElsewhere(reason: unknown): boolean {
  return /down or inaccessible/.test(messageOf(reason));
}
