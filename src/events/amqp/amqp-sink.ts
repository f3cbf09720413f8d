import type { Registry } from "@bufbuild/protobuf";
import type { ConfirmChannel } from "amqplib";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { messageOf } from "../../base/message-of.ts";
import type { Random } from "../../base/random.ts";
import { unavailable } from "../../call/errors.ts";
import type { EventSink } from "../delivery.ts";
import { BrokerLink, type Tenant } from "./broker-link.ts";
import { Confirms } from "./confirms.ts";
import type { Connection } from "./connection.ts";
import { type EventFormat, outgoing } from "./event-message.ts";
import { declareExchange, eventExchange } from "./topology.ts";

/** What sending events to RabbitMQ takes. */
export interface AmqpSinkOptions {
  readonly amqpUrl: string;
  /** The service that publishes: what RabbitMQ's listings call the connection. */
  readonly service: string;
  /** How payloads are written. Default: Protobuf. */
  readonly format?: EventFormat;
  /** Knows the payloads: needed to write them as JSON. */
  readonly registry: Registry;
  /** How long RabbitMQ may take to confirm one `send`. Default: 15 s. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/** How things stand with RabbitMQ. */
type State =
  | { readonly name: "away" }
  | { readonly name: "up"; readonly channel: ConfirmChannel; readonly connection: Connection }
  /** It is there and takes nothing, since it is short of memory or of disk. */
  | { readonly name: "blocked"; readonly why: string };

class AmqpSink implements EventSink {
  readonly #options: AmqpSinkOptions;
  readonly #clock: Clock;
  #state: State = { name: "away" };
  #link: BrokerLink | undefined;

  constructor(options: AmqpSinkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async open(): Promise<this> {
    const { amqpUrl, service, clock, random, log } = this.#options;
    const moveIn = (connection: Connection) => this.#moveIn(connection);
    const name = `heddle ${service}: events out`;
    this.#link = await BrokerLink.open({
      amqpUrl,
      name,
      moveIn,
      ...(clock && { clock }),
      ...(random && { random }),
      ...(log && { log }),
    });
    return this;
  }

  async send(events: readonly Event[]): Promise<void> {
    const { format = "protobuf", registry } = this.#options;
    const messages = events.map((event) => outgoing(event, format, registry));
    const state = this.#state;
    if (state.name === "away") throw away("RabbitMQ is not connected");
    if (state.name === "blocked") throw away(`RabbitMQ takes nothing at present: ${state.why}`);
    const confirms = new Confirms(state.channel);
    const timer = this.#clock.setTimer(this.#timeoutMs, () => this.#tooLate(confirms, state.connection));
    try {
      await confirms.publish(eventExchange, messages);
    } catch (reason) {
      throw away(`RabbitMQ has not confirmed all of ${events.length} events: ${messageOf(reason)}`);
    } finally {
      timer.cancel();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link?.[Symbol.asyncDispose]();
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? 15_000;
  }

  /**
   * What was sent may still lie in the connection, and would pile up there with each attempt: a connection that answers nothing is
   * dropped with all that is in it. One that is blocked is kept, and given nothing more until it is free again.
   */
  #tooLate(confirms: Confirms, connection: Connection): void {
    const late = new Error(`no answer within ${this.#timeoutMs} ms`);
    confirms.fail(late);
    if (this.#state.name === "up") connection.drop(late);
  }

  async #moveIn(connection: Connection): Promise<Tenant> {
    await declareExchange(connection);
    const channel = await connection.model.createConfirmChannel();
    channel.on("error", (error) => connection.drop(error));
    channel.on("close", () => connection.drop(new Error("RabbitMQ closed the channel")));
    const up = { name: "up", channel, connection } as const;
    connection.model.on("blocked", (why) => this.#blocked(why));
    connection.model.on("unblocked", () => {
      this.#log.info("RabbitMQ takes events again");
      this.#state = up;
    });
    this.#state = up;
    const end = async () => {
      this.#state = { name: "away" };
    };
    return { end };
  }

  #blocked(why: string): void {
    this.#log.warn("RabbitMQ takes no events until it has room again; they wait in the outbox", { why });
    this.#state = { name: "blocked", why };
  }

  get #log(): Logger {
    return this.#options.log ?? silentLogger;
  }
}

/**
 * Sends events to RabbitMQ's exchange `heddle.events`, each with its type as routing key. It is open whether RabbitMQ
 * is there or not: what it cannot send at once it refuses with UNAVAILABLE and keeps nothing of, since the outbox keeps
 * everything already. Rejects when RabbitMQ is there and does not let us in, or has an exchange of another make.
 */
export function openAmqpSink(options: AmqpSinkOptions): Promise<EventSink> {
  return new AmqpSink(options).open();
}

const away = (message: string) => unavailable(message, { reason: "BROKER_UNAVAILABLE", domain: "heddle" });
