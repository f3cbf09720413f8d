import type { Random } from "../../base/random.ts";
import { atLeastOne } from "./at-least-one.ts";
import type { Balancer, Candidate, Picker, Wish } from "./picker.ts";
import { Shares } from "./shares.ts";
import { isTried } from "./tried.ts";

/** Each in turn, the more often the greater its share, and as evenly apart as can be. */
export function weighted(random: Random): Balancer {
  return { picker: (candidates) => new WeightedPicker(atLeastOne(candidates), random) };
}

/**
 * Earliest deadline first: a candidate is due again one over its share after its last turn, and the one due first is
 * next. Shares may change while the snapshot stays: a stride is as long as the
 * share is at its beginning.
 *
 * First turns fall anywhere within a candidate's own stride: clients that start together differ, and so do snapshots,
 * however few picks each of them lives.
 */
class WeightedPicker<T extends Candidate> implements Picker<T> {
  readonly #candidates: readonly T[];
  readonly #random: Random;
  readonly #shares: Shares;
  /** A heap: whose turn, and when it is due; the earliest on top. */
  readonly #whose: Int32Array;
  readonly #due: Float64Array;
  #begun = false;

  constructor(candidates: readonly T[], random: Random) {
    this.#candidates = candidates;
    this.#random = random;
    this.#shares = new Shares(candidates);
    this.#whose = new Int32Array(candidates.length);
    this.#due = new Float64Array(candidates.length);
  }

  pick({ now, tried }: Wish): T {
    this.#shares.refresh(now);
    if (!this.#begun) this.#begin();
    const slot = tried.length === 0 ? 0 : this.#earliestUntried(tried);
    const index = this.#whose[slot] as number;
    this.#due[slot] = (this.#due[slot] as number) + 1 / (this.#shares.relative[index] as number);
    this.#sink(slot);
    return this.#candidates[index] as T;
  }

  #begin(): void {
    this.#begun = true;
    for (let slot = this.#due.length - 1; slot >= 0; slot--) {
      this.#whose[slot] = slot;
      this.#due[slot] = this.#random() / (this.#shares.relative[slot] as number);
      this.#sink(slot);
    }
  }

  /** Goes through all: only repeats come here. */
  #earliestUntried(tried: readonly string[]): number {
    let earliest = -1;
    for (let slot = 0; slot < this.#due.length; slot++) {
      const isSooner = earliest === -1 || (this.#due[slot] as number) < (this.#due[earliest] as number);
      if (isSooner && !isTried(this.#candidates, this.#whose[slot] as number, tried)) earliest = slot;
    }
    return Math.max(0, earliest);
  }

  /** Lets the candidate in `slot` sink below all that are due before it. */
  #sink(slot: number): void {
    const whose = this.#whose;
    const dues = this.#due;
    const index = whose[slot] as number;
    const due = dues[slot] as number;
    let hole = slot;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= dues.length) break;
      if (child + 1 < dues.length && (dues[child + 1] as number) < (dues[child] as number)) child++;
      if (due <= (dues[child] as number)) break;
      dues[hole] = dues[child] as number;
      whose[hole] = whose[child] as number;
      hole = child;
    }
    dues[hole] = due;
    whose[hole] = index;
  }
}
