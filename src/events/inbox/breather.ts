import type { Clock } from "../../base/clock.ts";

/** How long one may work without a pause, where nothing else does anything meanwhile. */
const longestMs = 1;

/**
 * Pauses for those who want the event loop: with SQLite all that is done to the database is done in this thread, so a long
 * transaction without pauses would keep every call waiting to its end.
 */
export class Breather {
  readonly #clock: Clock;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Lets everybody else go first, if it is time to. */
  async pause(): Promise<void> {
    if (this.#clock.now() - this.#since < longestMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#since = this.#clock.now();
  }
}
