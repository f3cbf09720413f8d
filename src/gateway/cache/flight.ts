import type { CancelListener, Lifetime } from "../../base/lifetime.ts";

/** What a flight needs to begin. */
export interface FlightOptions<T> {
  /** Does the work; the signal tells when nobody waits for it any more. */
  readonly start: (signal: AbortSignal) => Promise<T>;
  /** It takes nobody in any more: it has ended, or is canceled. */
  readonly onOver: () => void;
}

/**
 * One piece of work for several who want the same at once. Whoever leaves leaves alone; when the last one has left, the
 * work is canceled, with that one's reason.
 */
export class Flight<T> {
  readonly #work: Promise<T>;
  readonly #stop = new AbortController();
  readonly #onOver: () => void;
  #waiting = 0;

  constructor({ start, onOver }: FlightOptions<T>) {
    this.#onOver = onOver;
    this.#work = start(this.#stop.signal);
    this.#work.then(onOver, onOver);
  }

  /** What comes of the work, or the reason why `wait` is canceled before. */
  join(wait: Lifetime): Promise<T> {
    this.#waiting++;
    return new Promise<T>((resolve, reject) => {
      const leaving: CancelListener = {
        canceled: (reason) => {
          reject(reason);
          this.#left(reason);
        },
      };
      const stay = () => wait.offCancel(leaving);
      wait.onCancel(leaving);
      this.#work.then(resolve, reject).finally(stay);
    });
  }

  #left(reason: unknown): void {
    this.#waiting--;
    if (this.#waiting > 0) return;
    this.#onOver();
    this.#stop.abort(reason);
  }
}
