import { CountWindow } from "../../base/window.ts";
import type { BreakerRules } from "../../call/policy.ts";

const tenSeconds = { slices: 10, sliceMs: 1_000 };

/**
 * Counts how attempts end at an endpoint that is in use, and says when that is enough: failures in a row, or the share
 * of failures or of slow calls over the last 10 s, exact to the second. Never an average that fades: it can neither be
 * explained nor be relied on.
 */
export class Tally {
  readonly #rules: BreakerRules;
  /** `undefined` where no share is looked at. */
  readonly #calls: CountWindow | undefined;
  /** Made with the first that is to be counted: most never see one. */
  #failures: CountWindow | undefined;
  #slow: CountWindow | undefined;
  #inRow = 0;

  constructor(rules: BreakerRules) {
    this.#rules = rules;
    const { minSuccessRatio, maxSlowRatio } = rules;
    if (minSuccessRatio !== undefined || maxSlowRatio !== undefined) this.#calls = new CountWindow(tenSeconds);
  }

  /** Counts an attempt that succeeded. Answers why that is enough, for people: it may have been slow; or nothing. */
  succeeded(isSlow: boolean, now: number): string | undefined {
    this.#inRow = 0;
    this.#calls?.add(now);
    return isSlow ? this.#dragged(now) : undefined;
  }

  /** Counts one that failed; in the row only if it `isNews`, and not one of many that failed at once. */
  failed(isNews: boolean, isSlow: boolean, now: number): string | undefined {
    if (isNews) this.#inRow++;
    this.#calls?.add(now);
    return this.#row() ?? this.#broke(now) ?? (isSlow ? this.#dragged(now) : undefined);
  }

  /** Counts from nothing. */
  clear(): void {
    this.#inRow = 0;
    this.#calls?.clear();
    this.#failures = undefined;
    this.#slow = undefined;
  }

  #row(): string | undefined {
    return this.#inRow >= this.#rules.consecutiveFailures ? `${this.#inRow} failures in a row` : undefined;
  }

  #broke(now: number): string | undefined {
    const { minSuccessRatio, minCalls } = this.#rules;
    if (minSuccessRatio === undefined) return undefined;
    this.#failures ??= new CountWindow(tenSeconds);
    this.#failures.add(now);
    const calls = this.#calls?.sum(now) ?? 0;
    const failed = this.#failures.sum(now);
    const isEnough = calls >= minCalls && 1 - failed / calls < minSuccessRatio;
    return isEnough ? `${failed} of ${calls} calls failed within 10 s` : undefined;
  }

  #dragged(now: number): string | undefined {
    const { maxSlowRatio, minCalls } = this.#rules;
    if (maxSlowRatio === undefined) return undefined;
    this.#slow ??= new CountWindow(tenSeconds);
    this.#slow.add(now);
    const calls = this.#calls?.sum(now) ?? 0;
    const slow = this.#slow.sum(now);
    const isEnough = calls >= minCalls && slow / calls > maxSlowRatio;
    return isEnough ? `${slow} of ${calls} calls were slow within 10 s` : undefined;
  }
}
