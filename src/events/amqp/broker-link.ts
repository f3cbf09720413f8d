import { type BackoffOptions, fullJitter } from "../../base/backoff.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { messageOf } from "../../base/message-of.ts";
import type { Random } from "../../base/random.ts";
import { runDetached } from "../../call/context.ts";
import { brokerOf, checkAmqpUrl } from "./amqp-url.ts";
import { BrokerRefusal, type Connection, openConnection } from "./connection.ts";
import { rarely } from "./rarely.ts";

/** What lives on one connection. */
export interface Tenant {
  /** The connection is lost, for the reason given; without one it is about to be closed, and what has begun is finished. */
  end(lost?: Error): Promise<void>;
}

/** What keeping a connection takes. */
export interface BrokerLinkOptions {
  readonly amqpUrl: string;
  /** What RabbitMQ's listings call the connection: "heddle order: events out". */
  readonly name: string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  /** Makes itself at home on a fresh connection. What it throws drops the connection, and another try follows. */
  readonly moveIn: (connection: Connection) => Promise<Tenant>;
}

/** Ceilings of the wait before the next try to connect. */
const waits: BackoffOptions = { initialMs: 200, maxMs: 5_000 };

/**
 * Keeps a connection to RabbitMQ: one that is lost is followed by another, however long that takes, and what lived on the old
 * one has ended before the next moves in.
 *
 * The library could do this too, but it waits by its own clock, and it keeps what it is asked meanwhile, where we want to
 * be told at once.
 */
export class BrokerLink implements AsyncDisposable {
  readonly #options: BrokerLinkOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #broker: string;
  readonly #closing = new AbortController();
  readonly #firstTry = Promise.withResolvers<void>();
  readonly #kept: Promise<void>;

  private constructor(options: BrokerLinkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#broker = brokerAt(options.amqpUrl);
    this.#log = (options.log ?? silentLogger).child({ broker: this.#broker });
    this.#kept = runDetached(() => this.#keep());
  }

  /**
   * Resolves after the first try, be RabbitMQ there or not: a service starts without it. Rejects when RabbitMQ is there and
   * refuses what it is asked, since no waiting mends that.
   */
  static async open(options: BrokerLinkOptions): Promise<BrokerLink> {
    const link = new BrokerLink(options);
    try {
      await link.#firstTry.promise;
      return link;
    } catch (reason) {
      await link[Symbol.asyncDispose]();
      throw reason;
    }
  }

  /** Finishes what has begun, and closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#kept;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    const waitMs = fullJitter({ ...waits, ...(this.#options.random && { random: this.#options.random }) });
    const mayTell = rarely(this.#clock);
    let [attempt, awayAt] = [0, this.#clock.now()];
    const up = () => {
      if (attempt > 0) this.#log.info("RabbitMQ is back", { awayMs: Math.round(this.#clock.now() - awayAt) });
      attempt = 0;
      this.#firstTry.resolve();
    };
    while (!signal.aborted) {
      const reason = await this.#live(up).catch((error: unknown) => error);
      if (signal.aborted) break;
      if (reason instanceof BrokerRefusal) this.#firstTry.reject(reason);
      attempt++;
      if (attempt === 1) awayAt = this.#clock.now();
      if (mayTell(attempt === 1)) this.#tellAway(reason, awayAt);
      this.#firstTry.resolve();
      await this.#clock.sleep(waitMs(attempt), signal).catch(() => {});
    }
    this.#firstTry.resolve();
  }

  /** One connection from its beginning to its end; rejects with why it ended, unless that was ours to say. */
  async #live(up: () => void): Promise<void> {
    const { amqpUrl, name } = this.#options;
    const { signal } = this.#closing;
    const opening = openConnection(amqpUrl, name);
    const connection = await unlessAborted(opening, signal);
    if (connection === undefined) {
      opening.then((late) => late.close(this.#clock)).catch(() => {}); // not awaited: nobody may be there
      return;
    }
    try {
      const tenant = await this.#movedIn(connection);
      up();
      const lost = await unlessAborted(connection.lost, signal);
      await tenant.end(lost);
      if (lost !== undefined) throw lost;
    } finally {
      await connection.close(this.#clock);
    }
  }

  /** RabbitMQ may take a minute to say that a queue does not answer: who closes does not wait for that. */
  async #movedIn(connection: Connection): Promise<Tenant> {
    const { signal } = this.#closing;
    const leave = () => connection.drop(new Error("it is not wanted any more"));
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await this.#options.moveIn(connection);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #tellAway(reason: unknown, awayAt: number): void {
    const awayMs = Math.round(this.#clock.now() - awayAt);
    this.#log.warn("RabbitMQ is away; trying again until it is back", { error: messageOf(reason), awayMs });
  }
}

/** Where the broker is; an Error that names the setting if that is not said. */
function brokerAt(amqpUrl: string): string {
  try {
    if (amqpUrl === "") throw new Error("is empty; it has to be a URL such as amqp://user:password@host:5672/vhost");
    return brokerOf(checkAmqpUrl(amqpUrl));
  } catch (reason) {
    throw new Error(`AMQP_URL ${messageOf(reason)}`);
  }
}

/**
 * What `promise` comes to, or undefined as soon as the signal aborts. It leaves nothing behind at the signal, which
 * lives longer.
 */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const aborted = Promise.withResolvers<undefined>();
  const abort = () => aborted.resolve(undefined);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
