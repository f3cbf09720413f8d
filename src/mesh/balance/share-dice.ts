import type { Random } from "../../base/random.ts";
import { Dice, diceEnd } from "./dice.ts";
import type { Candidate } from "./picker.ts";
import { Shares } from "./shares.ts";

/**
 * Draws candidates in proportion to their shares, however many there are, in the same short time: each candidate has a
 * column of the same width, filled up by at most one other (Walker's alias method, built as Vose does).
 * https://www.keithschwarz.com/darts-dice-coins/
 */
export class ShareDice {
  readonly shares: Shares;
  readonly #dice: Dice;
  /** How much of its column is its own, and whose the rest is. */
  readonly #own: Float64Array;
  readonly #other: Int32Array;
  /** Columns on their way: those not yet full from the left, those overfull from the right. */
  readonly #queue: Int32Array;

  constructor(candidates: readonly Candidate[], random: Random) {
    const { length } = candidates;
    this.shares = new Shares(candidates);
    this.#dice = new Dice(random);
    this.#own = new Float64Array(length);
    this.#other = new Int32Array(length);
    this.#queue = new Int32Array(length);
  }

  /** Takes in what the shares are now, if it is time to. Before the first draw, and before each pick. */
  refresh(now: number): void {
    if (this.shares.refresh(now) && !this.shares.areEven) this.#fill();
  }

  /** Index of a candidate, each as likely as its share. */
  draw(): number {
    const index = this.#dice.below(this.#own.length);
    if (this.shares.areEven || this.#dice.throw() < (this.#own[index] as number) * diceEnd) return index;
    return this.#other[index] as number;
  }

  /** Index of any candidate but the one at `index`, each as likely as the next. */
  drawOther(index: number): number {
    const { length } = this.#own;
    return (index + 1 + this.#dice.below(length - 1)) % length;
  }

  #fill(): void {
    const own = this.#own;
    const queue = this.#queue;
    own.set(this.shares.relative);
    let under = 0;
    let over = queue.length;
    for (let i = 0; i < own.length; i++) {
      if ((own[i] as number) < 1) queue[under++] = i;
      else queue[--over] = i;
    }
    let head = 0;
    while (head < under && over < queue.length) {
      const small = queue[head++] as number;
      const large = queue[over] as number;
      this.#other[small] = large;
      own[large] = (own[large] as number) - (1 - (own[small] as number));
      if ((own[large] as number) >= 1) continue;
      over++;
      queue[under++] = large;
    }
    while (head < under) own[queue[head++] as number] = 1; // full but for rounding
    while (over < queue.length) own[queue[over++] as number] = 1;
  }
}
