import type { Clock } from "../base/clock.ts";

/** Sleep from which one may be woken: between one look at the database and the next. */
export class Nap {
  readonly #clock: Clock;
  #woken = false;
  #wake: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves after `ms` milliseconds, or as soon as it is woken; at once if it was woken since it last slept. */
  async sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = this.#clock.setTimer(ms, resolve);
    if (!this.#woken) await promise;
    timer.cancel();
    this.#woken = false;
  }

  /** Ends the sleep, or spares the next one. */
  readonly wake = (): void => {
    this.#woken = true;
    this.#wake();
  };
}
