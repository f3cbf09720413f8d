import { CountWindow } from "../../base/window.ts";

/** How much of its load a client may send again. */
export interface RetryBudgetOptions {
  /** Share of calls that may be sent again. Default 0.2 (Finagle, Envoy). */
  readonly ratio?: number;
  /** Retries a second that are always allowed, so that a quiet client may retry at all. Default 3. */
  readonly minPerSecond?: number;
}

const windowSeconds = 10;

/** Stops retry storms: over the last 10 s, retries stay below a share of the calls, and a few. */
export class RetryBudget {
  readonly #ratio: number;
  readonly #minPerSecond: number;
  readonly #calls = new CountWindow({ slices: windowSeconds, sliceMs: 1_000 });
  readonly #retries = new CountWindow({ slices: windowSeconds, sliceMs: 1_000 });

  constructor({ ratio = 0.2, minPerSecond = 3 }: RetryBudgetOptions = {}) {
    this.#ratio = ratio;
    this.#minPerSecond = minPerSecond;
  }

  /** Counts a call that was begun. */
  deposit(now: number): void {
    this.#calls.add(now);
  }

  /** Takes one retry out if there is one left. */
  withdraw(now: number): boolean {
    const allowed = this.#ratio * this.#calls.sum(now) + this.#minPerSecond * windowSeconds;
    if (this.#retries.sum(now) + 1 > allowed) return false;
    this.#retries.add(now);
    return true;
  }
}
