import type { Registry } from "@bufbuild/protobuf";
import { type Clock, systemClock } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { type Random, systemRandom } from "../../base/random.ts";
import type { TakeIn } from "../delivery.ts";
import { BrokerLink, type Tenant } from "./broker-link.ts";
import type { Connection } from "./connection.ts";
import { Consumption } from "./consumption.ts";
import { declareQueues } from "./declare-queues.ts";
import { type QueueKind, queueOf } from "./topology.ts";

/** What following events over RabbitMQ takes. */
export interface AmqpSourceOptions {
  readonly amqpUrl: string;
  /** The service that follows: its queue is `heddle.<service>`. */
  readonly service: string;
  /** The types of the events that it handles. */
  readonly types: readonly string[];
  /** Knows their payloads. */
  readonly registry: Registry;
  readonly takeIn: TakeIn;
  /** Default: quorum. */
  readonly queues?: QueueKind;
  /** How many events may be on their way at once, and in one batch at most. Default: 500. */
  readonly prefetch?: number;
  /** A longer payload is no event. Default: 1 MiB. */
  readonly maxPayloadBytes?: number;
  /**
   * Called when the queue was not there before, in the beginning or because RabbitMQ has lost it: events from before
   * are not in it, and publishers may be asked to send theirs again.
   */
  readonly onNewQueue?: () => void;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/**
 * Follows events over RabbitMQ. An event is acknowledged when it was taken in and never before, so it may come again
 * and is not lost; those of one subject come in order, to one replica at a time. What is no event goes to
 * `heddle.<service>.dead`, with the reason. Opens whether RabbitMQ is there or not; rejects when it is there and does
 * not let us in, or has a queue of another make.
 *
 * Closing it finishes the batch that is being taken in.
 */
export async function openAmqpSource(options: AmqpSourceOptions): Promise<AsyncDisposable> {
  const full = {
    queues: "quorum",
    prefetch: 500,
    maxPayloadBytes: 2 ** 20,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    ...options,
  } as const;
  const { amqpUrl, clock, random, log } = full;
  const moveIn = (connection: Connection) => consume(connection, full);
  return BrokerLink.open({ amqpUrl, name: `heddle ${full.service}: events in`, clock, random, log, moveIn });
}

/** Options with nothing left out but the callback. */
export type FullSourceOptions = Required<Omit<AmqpSourceOptions, "onNewQueue">> & Pick<AmqpSourceOptions, "onNewQueue">;

async function consume(connection: Connection, options: FullSourceOptions): Promise<Tenant> {
  const isNew = await declareQueues(connection, options);
  if (isNew) {
    options.log.info("RabbitMQ had no queue for this service; it has one now", { queue: queueOf(options.service) });
    options.onNewQueue?.();
  }
  return Consumption.start(connection, options);
}
