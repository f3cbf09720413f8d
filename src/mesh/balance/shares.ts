import type { Random } from "../../base/random.ts";
import type { Candidate } from "./picker.ts";

/** Shares are asked for again after this long: slow start moves 3 % of a share in it, load reports come no faster. */
const freshMs = 1_000;

/**
 * Draws candidates in proportion to their shares, however many there are, in the same short time: each candidate has a
 * column of the same width, filled up by at most one other (Walker's alias method, built as Vose does).
 * https://www.keithschwarz.com/darts-dice-coins/
 */
export class Shares {
  readonly #candidates: readonly Candidate[];
  readonly #random: Random;
  /** Each one's share over the mean share. */
  readonly #relative: Float64Array;
  /** How much of its column is its own, and whose the rest is. */
  readonly #own: Float64Array;
  readonly #other: Int32Array;
  /** Columns on their way: those not yet full from the left, those overfull from the right. */
  readonly #queue: Int32Array;
  #isEven = true;
  #madeAt = Number.NEGATIVE_INFINITY;

  constructor(candidates: readonly Candidate[], random: Random) {
    const { length } = candidates;
    this.#candidates = candidates;
    this.#random = random;
    this.#relative = new Float64Array(length);
    this.#own = new Float64Array(length);
    this.#other = new Int32Array(length);
    this.#queue = new Int32Array(length);
  }

  /** Takes in what the shares are now, if it is time to. Before the first draw, and before each. */
  refresh(now: number): void {
    const ageMs = now - this.#madeAt;
    if (ageMs >= 0 && ageMs < freshMs) return;
    this.#madeAt = now;
    this.#measure(now);
    if (!this.#isEven) this.#fill();
  }

  /** The candidate's share over the mean of all: 1 where shares are even. */
  relative(index: number): number {
    return this.#isEven ? 1 : (this.#relative[index] as number);
  }

  /** Index of a candidate, each as likely as its share. */
  draw(): number {
    const at = this.#random() * this.#own.length;
    const index = Math.floor(at);
    if (this.#isEven || at - index < (this.#own[index] as number)) return index;
    return this.#other[index] as number;
  }

  #measure(now: number): void {
    const first = (this.#candidates[0] as Candidate).share(now);
    let sum = 0;
    this.#isEven = true;
    for (let i = 0; i < this.#candidates.length; i++) {
      const share = (this.#candidates[i] as Candidate).share(now);
      if (share !== first) this.#isEven = false;
      this.#relative[i] = share;
      sum += share;
    }
    if (this.#isEven) return;
    for (let i = 0; i < this.#relative.length; i++) (this.#relative[i] as number) *= this.#relative.length / sum;
  }

  #fill(): void {
    const own = this.#own;
    const queue = this.#queue;
    let under = 0;
    let over = queue.length;
    for (let i = 0; i < own.length; i++) {
      own[i] = this.#relative[i] as number;
      if ((own[i] as number) < 1) queue[under++] = i;
      else queue[--over] = i;
    }
    let head = 0;
    while (head < under && over < queue.length) {
      const small = queue[head++] as number;
      const large = queue[over] as number;
      this.#other[small] = large;
      own[large] = (own[large] as number) - (1 - (own[small] as number));
      if ((own[large] as number) < 1) {
        over++;
        queue[under++] = large;
      }
    }
    while (head < under) own[queue[head++] as number] = 1; // full but for rounding
    while (over < queue.length) own[queue[over++] as number] = 1;
  }
}
