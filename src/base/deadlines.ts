import type { Clock, Timer } from "./clock.ts";

/** What has a deadline. */
export interface Due {
  /** The deadline has passed. */
  expire(): void;
}

/**
 * Many deadlines on one timer of the clock. Most are taken back long before they pass, so adding and removing are what
 * has to be cheap: one look into a map each, and nothing is kept of what was removed but, at most, the one timer, which
 * keeps no process alive. A timer for each call would cost more than the rest of its deadline; a wheel that clears up
 * later would keep every finished call until then.
 */
export class Deadlines implements Disposable {
  readonly #clock: Clock;
  /** What is due by the millisecond. */
  readonly #due = new Map<number, Set<Due>>();
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Expires `due` once the clock shows `at`, milliseconds since the epoch; rounded up. */
  add(at: number, due: Due): void {
    const ms = Math.ceil(at);
    const known = this.#due.get(ms);
    if (known !== undefined) known.add(due);
    else this.#due.set(ms, new Set([due]));
    if (ms < this.#timerAt) this.#wakeAt(ms);
  }

  /** Takes back what `add` was given. Taking it back twice, or late, is no error. */
  remove(at: number, due: Due): void {
    const ms = Math.ceil(at);
    const known = this.#due.get(ms);
    if (known?.delete(due) && known.size === 0) this.#due.delete(ms);
  }

  /** How many are waited for. */
  get size(): number {
    let size = 0;
    for (const { size: count } of this.#due.values()) size += count;
    return size;
  }

  /** Lets go of the timer. Whoever still waits is not told any more. */
  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#due.clear();
  }

  #wakeAt(ms: number): void {
    this.#timer?.cancel();
    this.#timerAt = ms;
    this.#timer = this.#clock.setTimer(ms - this.#clock.now(), this.#wake);
  }

  /** Looks what is due. The timer of a deadline that was taken back wakes it too: to take each timer back costs more. */
  readonly #wake = (): void => {
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [ms, all] of this.#due) {
      if (ms > now) {
        next = Math.min(next, ms);
        continue;
      }
      this.#due.delete(ms);
      for (const due of all) due.expire();
    }
    if (next < this.#timerAt) this.#wakeAt(next);
  };
}
