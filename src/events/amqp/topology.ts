import { onChannel } from "./channels.ts";
import type { Connection } from "./connection.ts";

/** Which kind of queue RabbitMQ keeps for a service: AMQP_QUEUES. */
export type QueueKind = "quorum" | "classic";

/** Where every event is sent to, with its type as the routing key. */
export const eventExchange = "heddle.events";
/** Where messages go that a service cannot read. */
export const deadExchange = "heddle.dead";

/** The queue of the events that a service has yet to take in. */
export const queueOf = (service: string) => `heddle.${service}`;
/** The queue of the messages that it could not read. */
export const deadQueueOf = (service: string) => `heddle.${service}.dead`;

/** Declares what a publisher sends to. */
export function declareExchange(connection: Connection): Promise<void> {
  return onChannel(connection, eventExchange, async (channel) => {
    await channel.assertExchange(eventExchange, "topic", { durable: true });
  });
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
