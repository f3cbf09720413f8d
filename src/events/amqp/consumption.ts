import type { Channel, ConsumeMessage } from "amqplib";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import { fullJitter } from "../../base/backoff.ts";
import { messageOf } from "../../base/message-of.ts";
import type { FullSourceOptions } from "./amqp-source.ts";
import { answering } from "./answering.ts";
import type { Tenant } from "./broker-link.ts";
import type { Connection } from "./connection.ts";
import { DeadLetters, type DeadMessage } from "./dead-letters.ts";
import { incoming } from "./incoming.ts";
import { rarely } from "./rarely.ts";
import { deadQueueOf, queueOf } from "./topology.ts";

/** Reading messages is one piece of work, for which calls wait. */
const mostAtOnce = 100;
/** Ceilings of the wait before a batch is tried again. */
const waits = { initialMs: 100, maxMs: 5_000 };

/**
 * Takes in what arrives on one connection, batch by batch. RabbitMQ sends no more than `prefetch` messages ahead, so as long as a
 * batch cannot be taken in, nothing more comes, and nothing is sent back and forth.
 */
export class Consumption implements Tenant {
  readonly #options: FullSourceOptions;
  readonly #connection: Connection;
  readonly #channel: Channel;
  readonly #deadLetters: DeadLetters;
  readonly #ending = new AbortController();
  readonly #types: ReadonlySet<string>;
  #arrived: ConsumeMessage[] = [];
  #wake: () => void = () => {};
  #done: Promise<void> = Promise.resolve();

  private constructor(connection: Connection, channel: Channel, options: FullSourceOptions) {
    this.#options = options;
    this.#connection = connection;
    this.#channel = channel;
    this.#deadLetters = new DeadLetters(options);
    this.#types = new Set(options.types);
  }

  /** Begins; it ends when it is told to, and drops the connection when it cannot go on. */
  static async start(connection: Connection, options: FullSourceOptions): Promise<Consumption> {
    const channel = await connection.model.createChannel();
    const consumption = new Consumption(connection, channel, options);
    channel.on("error", (error) => connection.drop(error));
    channel.on("close", () => consumption.#closed());
    await channel.prefetch(options.prefetch);
    const arrive = (message: ConsumeMessage | null) => consumption.#arrive(message);
    const queue = queueOf(options.service);
    await answering(connection, queue, channel.consume(queue, arrive), options);
    consumption.#done = consumption.#run().catch((error: Error) => connection.drop(error));
    return consumption;
  }

  /**
   * Finishes the batch at hand and leaves the rest where it is. Consuming is not cancelled before: RabbitMQ would let
   * the next replica begin at once with what comes after the batch. Closing the channel follows the last
   * acknowledgement on its way.
   */
  async end(lost?: Error): Promise<void> {
    this.#ending.abort();
    this.#wake();
    await this.#done;
    await this.#deadLetters.close();
    if (lost === undefined) await Promise.race([this.#channel.close().catch(() => {}), this.#connection.lost]);
  }

  #closed(): void {
    if (!this.#ending.signal.aborted) this.#connection.drop(new Error("RabbitMQ closed the channel"));
  }

  #arrive(message: ConsumeMessage | null): void {
    const queue = queueOf(this.#options.service);
    if (message === null) return this.#connection.drop(new Error(`RabbitMQ ended the consumption of ${queue}`));
    const { maxPayloadBytes } = this.#options;
    if (message.content.length > maxPayloadBytes) return this.#refuse(message);
    this.#arrived.push(message);
    this.#wake();
  }

  /** RabbitMQ moves it itself: it would take too much room here to send it back. */
  #refuse(message: ConsumeMessage): void {
    const reason = `its payload has ${message.content.length} bytes, more than ${this.#options.maxPayloadBytes}`;
    this.#tellDead({ message, reason });
    this.#channel.nack(message, false, false);
  }

  async #run(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      if (this.#arrived.length === 0) await this.#next();
      else await this.#take(this.#arrived.splice(0, mostAtOnce));
    }
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#arrived.length > 0 || this.#ending.signal.aborted) resolve();
    });
  }

  async #take(messages: readonly ConsumeMessage[]): Promise<void> {
    const { bySource, dead } = this.#sort(messages);
    if (dead.length > 0) {
      await this.#deadLetters.bury(dead);
      for (const letter of dead) this.#tellDead(letter);
    }
    for (const [source, events] of bySource) {
      if (!(await this.#takenIn(source, events))) return; // and not acknowledged: it comes again
    }
    const last = messages.at(-1);
    if (last !== undefined) this.#channel.ack(last, true);
  }

  #sort(messages: readonly ConsumeMessage[]) {
    const expected = { types: this.#types, registry: this.#options.registry, now: this.#options.clock.wall() };
    const bySource = new Map<string, Event[]>();
    const dead: DeadMessage[] = [];
    for (const message of messages) {
      const found = incoming(message, expected);
      if ("reason" in found) dead.push({ message, reason: found.reason });
      else if (bySource.get(found.source)?.push(found) === undefined) bySource.set(found.source, [found]);
    }
    return { bySource, dead };
  }

  /** Whether the events were taken in; tries until they are, or there is no reason to go on. */
  async #takenIn(source: string, events: readonly Event[]): Promise<boolean> {
    const { takeIn, clock, random, log } = this.#options;
    const waitMs = fullJitter({ ...waits, random });
    const mayTell = rarely(clock);
    for (let attempt = 1; ; attempt++) {
      try {
        await takeIn({ source, events });
        if (attempt > 1) log.info("events are taken in again", { source, attempts: attempt });
        return true;
      } catch (reason) {
        if (mayTell(attempt === 1)) {
          log.warn("events cannot be taken in; they wait", { source, events: events.length, error: messageOf(reason) });
        }
      }
      await clock.sleep(waitMs(attempt), this.#ending.signal).catch(() => {});
      if (this.#ending.signal.aborted) return false;
    }
  }

  #tellDead({ message, reason }: DeadMessage): void {
    const { log, service } = this.#options;
    const { routingKey } = message.fields;
    const id = message.properties.messageId;
    log.error("a message is no event and was put aside", { reason, queue: deadQueueOf(service), routingKey, id });
  }
}
