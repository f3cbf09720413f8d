import type { ConfirmChannel } from "amqplib";
import type { OutgoingMessage } from "./event-message.ts";

/** Publishes messages to one exchange, and waits until RabbitMQ has them all; another's attempt may run beside it. */
export class Confirms {
  readonly #channel: ConfirmChannel;
  readonly #settled = Promise.withResolvers<void>();
  #open = 1; // the sending itself

  constructor(channel: ConfirmChannel) {
    this.#channel = channel;
  }

  /**
   * Publishes in order, no faster than the connection takes it. Resolves when RabbitMQ keeps them all; rejects when it has said
   * no to one, the channel is closed, or `fail` is called.
   */
  async publish(exchange: string, messages: readonly OutgoingMessage[]): Promise<void> {
    this.#settled.promise.catch(() => {}); // it may fail while there is still something to send
    for (const { routingKey, content, options } of messages) {
      this.#open++;
      const hasRoom = this.#channel.publish(exchange, routingKey, content, options, (no: unknown) =>
        this.#confirmed(no),
      );
      if (!hasRoom) await this.#room();
    }
    this.#confirmed(null);
    await this.#settled.promise;
  }

  /** Waits no more. */
  fail(reason: unknown): void {
    this.#settled.reject(reason);
  }

  #confirmed(no: unknown): void {
    if (no) this.#settled.reject(no);
    else if (--this.#open === 0) this.#settled.resolve();
  }

  async #room(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#channel.once("drain", resolve);
    try {
      await Promise.race([promise, this.#settled.promise]);
    } finally {
      this.#channel.off("drain", resolve);
    }
  }
}
