import type { Channel, ConsumeMessage } from "amqplib";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Connection } from "./connection.ts";
import { declareExchange, removeQueue } from "./topology.ts";

/** A queue that is there answers within a second, and RabbitMQ itself gives one up after a minute. */
const silenceMs = 20_000;

/** Where from, and what is done with what comes. */
export interface BeginOptions {
  readonly queue: string;
  readonly arrive: (message: ConsumeMessage | null) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Begins to consume a queue. One that does not answer, while RabbitMQ answers otherwise, is removed, and this rejects: the next
 * try makes it anew. What it may have held is in the logs of those who published it, and is read there, as for any new queue.
 */
export async function beginConsuming(
  connection: Connection,
  channel: Channel,
  { queue, arrive, clock, log }: BeginOptions,
): Promise<void> {
  const silent = Promise.withResolvers<"silent">();
  const timer = clock.setTimer(silenceMs, () => silent.resolve("silent"));
  try {
    const begun = await Promise.race([channel.consume(queue, arrive), silent.promise]);
    if (begun !== "silent") return;
  } finally {
    timer.cancel();
  }
  await declareExchange(connection); // is it the queue alone?
  log.error("RabbitMQ lists a queue and does not answer for it: removing it, to make it anew", { queue });
  await removeQueue(connection, queue);
  throw new Error(`the queue ${queue} did not answer within ${silenceMs / 1_000} s, and was removed`);
}
