import type { Deadlines, Due } from "../base/deadlines.ts";
import { type CancelListener, Lifetime } from "../base/lifetime.ts";

/** A lifetime with a time limit of its own. */
export class TimedLifetime extends Lifetime implements Due, CancelListener {
  readonly #late: () => unknown;
  #deadlines: Deadlines | undefined;
  #endsAt = 0;

  /** `late` makes the reason it is canceled with when its time is over. */
  constructor(late: () => unknown) {
    super();
    this.#late = late;
  }

  /** Gives it until `endsAt`, in milliseconds of the deadlines' clock. */
  endBy(endsAt: number, deadlines: Deadlines): void {
    this.#endsAt = endsAt;
    this.#deadlines = deadlines;
    deadlines.add(endsAt, this);
  }

  override end(reason?: unknown): void {
    this.#deadlines?.remove(this.#endsAt, this);
    super.end(reason);
  }

  /** Its time is over. */
  expire(): void {
    this.cancel(this.#late());
  }
}
