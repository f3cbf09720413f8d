import type { ConfirmChannel, ConsumeMessage } from "amqplib";
import type { Clock } from "../../base/clock.ts";
import { Confirms } from "./confirms.ts";
import { type Connection, openConnection } from "./connection.ts";
import { deadExchange, queueOf } from "./topology.ts";

/** A message that is no event, and why. */
export interface DeadMessage {
  readonly message: ConsumeMessage;
  readonly reason: string;
}

/** Headers that tell what became of a dead message. */
export const reasonHeader = "x-heddle-reason";
const routingKeyHeader = "x-heddle-routing-key";

/** Where dead letters are sent from. */
export interface DeadLettersOptions {
  readonly amqpUrl: string;
  readonly service: string;
  readonly clock: Clock;
}

/** How long RabbitMQ may take to confirm some dead letters. */
const timeoutMs = 15_000;

/**
 * Puts what a service cannot read into its queue of dead letters, with the reason, and sees that it is kept there.
 *
 * On a connection of its own, opened when it is first needed: RabbitMQ stops listening to a connection that publishes when it is
 * short of memory, and one that consumes has to be heard then, or nothing would ever be taken out.
 */
export class DeadLetters {
  readonly #options: DeadLettersOptions;
  #connection: Promise<Connection> | undefined;
  #channel: ConfirmChannel | undefined;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  /** Resolves when they all are kept. */
  async bury(dead: readonly DeadMessage[]): Promise<void> {
    const { service, clock } = this.#options;
    const confirms = new Confirms(await this.#open());
    const timer = clock.setTimer(timeoutMs, () => confirms.fail(new Error(`no answer within ${timeoutMs} ms`)));
    const letters = dead.map(({ message, reason }) => ({
      routingKey: queueOf(service),
      content: message.content,
      options: optionsOf(message, reason),
    }));
    try {
      await confirms.publish(deadExchange, letters);
    } finally {
      timer.cancel();
    }
  }

  /** Closes its connection. */
  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close(this.#options.clock);
  }

  async #open(): Promise<ConfirmChannel> {
    const { amqpUrl, service } = this.#options;
    this.#connection ??= openConnection(amqpUrl, `heddle ${service}: dead letters out`);
    this.#channel ??= await confirmChannel(await this.#connection);
    return this.#channel;
  }
}

async function confirmChannel({ model, drop }: Connection): Promise<ConfirmChannel> {
  const channel = await model.createConfirmChannel();
  channel.on("error", drop);
  return channel;
}

/** The message as it came, as far as a publisher may say it. */
function optionsOf({ properties, fields }: ConsumeMessage, reason: string) {
  const { contentType, contentEncoding, messageId, timestamp, type, appId, correlationId } = properties;
  const kept = { contentType, contentEncoding, messageId, timestamp, type, appId, correlationId };
  const headers = { ...properties.headers, [reasonHeader]: reason, [routingKeyHeader]: fields.routingKey };
  const given = Object.entries({ ...kept, headers }).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), persistent: true };
}
