import { CountWindow } from "../../base/window.ts";

/** How much of its load a client may send again. */
export interface RetryBudgetOptions {
  /** Share of calls that may be sent again. Default 0.2 (Finagle, Envoy). */
  readonly ratio?: number;
  /** Retries a second that are always allowed, so that a quiet client may retry at all. Default 3. */
  readonly minPerSecond?: number;
}

const windowSeconds = 10;
const sliceMs = 500;
const slices = (windowSeconds * 1_000) / sliceMs;

/**
 * What one method deposited and took out. Calls are counted over a little less than 10 s, what was taken out over a
 * little more: the older half-second of calls goes all at once, and must not take with it what others count on.
 */
class Account {
  readonly calls = new CountWindow({ slices: slices - 1, sliceMs });
  readonly spent = new CountWindow({ slices: slices + 1, sliceMs });
}

/**
 * Stops retry storms: whenever a retry or hedge is let through, those of the last 10 s together are at most a fifth of
 * the calls of the last 10 s, and 30.
 *
 * Half of that is shared out: each method seen so far owns a tenth of its own calls and an even part of 15. The other
 * half goes to whoever asks first. So a noisy method may use more than half of everything, but never what a quiet one
 * owns. Methods are kept for good, for a quiet one is to find its part when it calls again: contracts name few.
 */
export class RetryBudget {
  readonly #ratio: number;
  /** What may be sent again within the window however few calls there are. */
  readonly #floor: number;
  readonly #calls = new CountWindow({ slices, sliceMs });
  readonly #accounts = new Map<string, Account>();

  constructor({ ratio = 0.2, minPerSecond = 3 }: RetryBudgetOptions = {}) {
    this.#ratio = ratio;
    this.#floor = minPerSecond * windowSeconds;
  }

  /** Counts a call of the method that was begun. */
  deposit(method: string, now: number): void {
    this.#calls.add(now);
    this.#account(method).calls.add(now);
  }

  /**
   * Takes one out for a call that is made on behalf of a retry or hedge of a hop above, whether there is one left or not:
   * so all hops of a chain together stay within one budget. It is no call on its own, and deposits nothing.
   */
  pay(method: string, now: number): void {
    this.#account(method).spent.add(now);
  }

  /** Takes one retry or hedge of the method out if there is one left. */
  withdraw(method: string, now: number): boolean {
    const account = this.#account(method);
    if (this.#spent(now) + 1 > this.#ratio * this.#calls.sum(now) + this.#floor) return false;
    const owns = account.spent.sum(now) + 1 <= this.#ownedBy(account, now);
    if (!owns && !this.#mayBorrow(account, now)) return false;
    account.spent.add(now);
    return true;
  }

  #account(method: string): Account {
    const known = this.#accounts.get(method);
    if (known !== undefined) return known;
    const made = new Account();
    this.#accounts.set(method, made);
    return made;
  }

  #spent(now: number): number {
    let spent = 0;
    for (const account of this.#accounts.values()) spent += account.spent.sum(now);
    return spent;
  }

  #ownedBy({ calls }: Account, now: number): number {
    return (this.#ratio * calls.sum(now) + this.#floor / this.#accounts.size) / 2;
  }

  /** Whether one more of the method, beyond what it owns, still leaves all others theirs. */
  #mayBorrow(borrower: Account, now: number): boolean {
    let lendable = this.#floor;
    let borrowed = 0;
    for (const account of this.#accounts.values()) {
      const owned = this.#ownedBy(account, now);
      lendable += this.#ratio * account.calls.sum(now) - owned;
      borrowed += Math.max(0, account.spent.sum(now) + (account === borrower ? 1 : 0) - owned);
    }
    return borrowed <= lendable;
  }
}
