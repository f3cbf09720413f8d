import type { Random } from "../../base/random.ts";
import type { Candidate, Picker, Wish } from "./picker.ts";
import { Shares } from "./shares.ts";
import { nextUntried, untried } from "./tried.ts";

/** How unwelcome one more attempt at a candidate is, whose share is `relative` times the mean. Above 0. */
export type Measure = (candidate: Candidate, relative: number, now: number) => number;

/**
 * The better of two that were drawn by their shares. It takes the same time among a thousand as among three, and many
 * clients that know the same do not all run to the same endpoint.
 *
 * Where both draws name one, another challenges it, and must be better even measured by the share: among few, a
 * newcomer with a tenth of a share would otherwise be half of every pair, and one with most of the shares never be
 * compared. Among even shares this is a draw of two different ones.
 */
export class TwoChoices<T extends Candidate> implements Picker<T> {
  readonly #candidates: readonly T[];
  readonly #measure: Measure;
  readonly #random: Random;
  readonly #shares: Shares;

  constructor(candidates: readonly T[], measure: Measure, random: Random) {
    this.#candidates = candidates;
    this.#measure = measure;
    this.#random = random;
    this.#shares = new Shares(candidates, random);
  }

  pick({ now, tried }: Wish): T {
    const { length } = this.#candidates;
    if (length === 1) return this.#candidates[0] as T;
    this.#shares.refresh(now);
    const one = untried(this.#candidates, tried, this.#shares);
    const two = untried(this.#candidates, tried, this.#shares);
    return this.#candidates[one === two ? this.#challenged(one, now, tried) : this.#better(one, two, now)] as T;
  }

  #better(one: number, two: number, now: number): number {
    return this.#cost(two, now) < this.#cost(one, now) ? two : one;
  }

  #challenged(one: number, now: number, tried: readonly string[]): number {
    const { length } = this.#candidates;
    const drawn = (one + 1 + Math.floor(this.#random() * (length - 1))) % length;
    const two = nextUntried(this.#candidates, tried, drawn);
    const perShare = this.#cost(two, now) / this.#shares.relative(two);
    return perShare < this.#cost(one, now) / this.#shares.relative(one) ? two : one;
  }

  #cost(index: number, now: number): number {
    return this.#measure(this.#candidates[index] as T, this.#shares.relative(index), now);
  }
}
