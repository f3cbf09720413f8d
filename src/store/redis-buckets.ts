import { createClient } from "@redis/client";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { drawScript, type RedisDraw } from "./redis-script.ts";
import { shownRedisUrl } from "./redis-url.ts";

/** Buckets in a Redis, for all who ask it. */
export interface RedisBuckets extends AsyncDisposable {
  /** Takes a token of the key's bucket, which earns `calls` of them in `periodMs` and holds `burst`. Rejects while Redis is away. */
  draw(
    key: string,
    limit: { readonly calls: number; readonly periodMs: number; readonly burst: number },
  ): Promise<RedisDraw>;
}

/** Which Redis, and what it takes to stay with it. */
export interface RedisBucketsOptions {
  readonly redisUrl: string;
  /** Begins every key. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Time to connect, at the start and later, in milliseconds. */
const connectTimeoutMs = 2_000;
/** A connection that has not answered for so long is given up, and another is opened. */
const silentMs = 2_000;
/** The longest pause between two tries to connect. */
const maxPauseMs = 1_000;

/** Redis is there and lets us do nothing: waiting does not mend that. */
const refusal = /^(WRONGPASS|NOAUTH|NOPERM|ERR (invalid password|AUTH|DB index|.*no password))/;

/**
 * Opens buckets in the Redis that REDIS_URL names. A Redis that is away is looked for until it is back, at the start as
 * later; one that refuses us fails the start with a message that names the setting.
 */
export async function openRedisBuckets(options: RedisBucketsOptions): Promise<RedisBuckets> {
  const buckets = new Connected(options);
  await buckets.opened;
  return buckets;
}

type Client = ReturnType<typeof clientOf>;

function clientOf(redisUrl: string) {
  return createClient({
    url: redisUrl,
    RESP: 2,
    scripts: { draw: drawScript },
    disableOfflineQueue: true,
    commandsQueueMaxLength: 10_000,
    socket: {
      connectTimeout: connectTimeoutMs,
      reconnectStrategy: (retries: number) => Math.min(maxPauseMs, 50 * 2 ** retries),
    },
  });
}

class Connected implements RedisBuckets {
  readonly #options: RedisBucketsOptions;
  /** Settled when Redis has answered for the first time, or could not be reached. */
  readonly opened: Promise<void>;
  #client: Client;
  /** Since when it has owed an answer. */
  #silentSince: number | undefined;
  #isClosed = false;

  constructor(options: RedisBucketsOptions) {
    this.#options = options;
    const first = Promise.withResolvers<void>();
    this.opened = first.promise;
    this.#client = this.#connect(first);
  }

  async draw(key: string, { calls, periodMs, burst }: Parameters<RedisBuckets["draw"]>[1]): Promise<RedisDraw> {
    const { clock, prefix } = this.#options;
    const now = clock.now();
    if (this.#silentSince !== undefined && now - this.#silentSince > silentMs) this.#reconnect();
    const tokenUs = Math.ceil((periodMs * 1_000) / calls);
    this.#silentSince ??= now;
    const client = this.#client;
    try {
      return await client.draw({ key: `${prefix}${key}`, tokenUs, capacityUs: burst * tokenUs });
    } finally {
      if (client === this.#client) this.#silentSince = undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#client.destroy();
  }

  #reconnect(): void {
    this.#options.log.warn("Redis does not answer: connecting anew", { redis: this.#shown });
    this.#silentSince = undefined;
    this.#client.destroy();
    this.#client = this.#connect();
  }

  #connect(first?: PromiseWithResolvers<void>): Client {
    const client = clientOf(this.#options.redisUrl);
    let problem = "";
    client.on("ready", () => {
      problem = "";
      if (first !== undefined) void this.#try(client).then(first.resolve, failed);
    });
    const failed = (error: Error) => {
      if (refusal.test(error.message)) first?.reject(this.#refused(error, client));
      if (error.message !== problem && !this.#isClosed)
        this.#options.log.warn("Redis is away", { redis: this.#shown, problem: error.message });
      problem = error.message;
      first?.resolve();
    };
    client.on("error", failed);
    client.connect().catch(() => {}); // told by `error`; it fails for good only when it is closed
    return client;
  }

  /** Whether we may do there what is to be done: a server that asks for a password lets everybody connect. */
  async #try(client: Client): Promise<void> {
    await client.draw({ key: `${this.#options.prefix}try`, tokenUs: 1, capacityUs: 1_000 });
  }

  #refused(error: Error, client: Client): Error {
    client.destroy();
    const advice = "mend its user, password or database number, or unset it to keep rate limits in each gateway";
    return new Error(`REDIS_URL=${this.#shown} cannot be used: ${error.message}; ${advice}`, { cause: error });
  }

  get #shown(): string {
    return shownRedisUrl(this.#options.redisUrl);
  }
}
