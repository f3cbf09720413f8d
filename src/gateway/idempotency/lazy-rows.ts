import type { Clock, Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { AnswerPlace } from "./answer-place.ts";
import type { AnswerRows } from "./answer-rows.ts";
import type { KeepLimits } from "./claim.ts";

/** What opening the rows takes. */
export interface LazyRowsOptions extends AnswerPlace {
  readonly limits: KeepLimits;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Opened extends AsyncDisposable {
  readonly rows: AnswerRows;
}

/** How often what is over is removed. */
const sweepEveryMs = 5 * 60_000;

/**
 * The rows, opened when a request first comes with a key: a gateway whose callers use none needs no database, and starts
 * as fast as if there were none. An opening that fails is tried again by the next request.
 */
export class LazyRows implements AsyncDisposable {
  readonly #options: LazyRowsOptions;
  #opening: Promise<Opened> | undefined;
  #sweeping: Timer | undefined;
  #closed = false;

  constructor(options: LazyRowsOptions) {
    this.#options = options;
  }

  /** The rows. Rejects as long as the database is away. */
  async get(): Promise<AnswerRows> {
    if (this.#closed) throw new Error("the gateway is closed");
    this.#opening ??= this.#open();
    return (await this.#opening).rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#sweeping?.cancel();
    const opened = await this.#opening?.catch(() => undefined); // who asked for it was told
    await opened?.[Symbol.asyncDispose]();
  }

  async #open(): Promise<Opened> {
    try {
      const { openAnswerRows } = await import("./open-answer-rows.ts"); // MikroORM takes long to load
      const opened = await openAnswerRows(this.#options);
      void this.#sweep(opened.rows);
      return opened;
    } catch (reason) {
      this.#opening = undefined;
      throw reason;
    }
  }

  async #sweep(rows: AnswerRows): Promise<void> {
    const { clock, limits, log } = this.#options;
    try {
      const early = await rows.sweep(clock.wall(), limits);
      if (early > 0) log.warn("answers were forgotten before their time: there were too many", { early, ...limits });
    } catch (error) {
      log.warn("answers whose time is over were not removed", { error });
    }
    if (!this.#closed) this.#sweeping = clock.setTimer(sweepEveryMs, () => void this.#sweep(rows));
  }
}
