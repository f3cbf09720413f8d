import type { Clock } from "../base/clock.ts";
import { late } from "./failure.ts";

/**
 * One at a time, first come first served: who writes to a SQLite file within this process. Whoever waits longer than it
 * may leaves the queue with an error.
 */
export class Turn {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #isTaken = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it is the caller's turn, who then owes a `release`. */
  async take(waitMs: number): Promise<void> {
    if (!this.#isTaken) {
      this.#isTaken = true;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = Number.isFinite(waitMs)
      ? this.#clock.setTimer(waitMs, () => this.#leave(resolve, reject))
      : undefined;
    this.#waiting.add(resolve);
    await promise;
    timer?.cancel();
  }

  /** Hands the turn to whoever has waited longest. */
  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#isTaken = false;
    else {
      this.#waiting.delete(next);
      next();
    }
  }

  #leave(resolve: () => void, reject: (reason: Error) => void): void {
    if (this.#waiting.delete(resolve)) reject(late());
  }
}
