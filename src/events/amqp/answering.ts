import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Connection } from "./connection.ts";
import { declareExchange, removeQueue } from "./topology.ts";

/** A queue that is there answers within a second, and RabbitMQ itself gives one up after a minute. */
const silenceMs = 20_000;
/** How long removing one may take: the next try sees what has come of it. */
const removalMs = 10_000;

/** Who waits. */
export interface Patience {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * What a queue answers. One that does not answer, while RabbitMQ answers otherwise, is removed, and this rejects: the next try makes
 * it anew. What it may have held is in the logs of those who published it, and is read there, as for any new queue. RabbitMQ
 * removes none that has replicas left, be they out of reach.
 */
export async function answering<T>(
  connection: Connection,
  queue: string,
  asked: Promise<T>,
  { clock, log }: Patience,
): Promise<T> {
  const answer = await within(clock, silenceMs, asked);
  if (answer !== silent) return answer;
  await within(clock, removalMs, declareExchange(connection)); // is it the queue alone?
  log.error("RabbitMQ lists a queue and does not answer for it: removing it, to make it anew", { queue });
  await within(clock, removalMs, removeQueue(connection, queue));
  throw new Error(`the queue ${queue} did not answer within ${silenceMs / 1_000} s, and is made anew`);
}

const silent = Symbol("silent");

/** What a promise comes to, or `silent` when that takes too long; then nobody is told how it ends. */
async function within<T>(clock: Clock, ms: number, asked: Promise<T>): Promise<T | typeof silent> {
  const late = Promise.withResolvers<typeof silent>();
  const timer = clock.setTimer(ms, () => late.resolve(silent));
  asked.catch(() => {});
  try {
    return await Promise.race([asked, late.promise]);
  } finally {
    timer.cancel();
  }
}
