import type { Random } from "../../base/random.ts";

/** The dice show numbers below this. Numbers this small are never put on the heap. */
export const diceEnd = 2 ** 30;

/**
 * Whole numbers by chance (mulberry32), of a seed taken from the dice handed in. `Math.random()` puts each of its
 * fractions on the heap, and a pick throws dice two or three times.
 */
export class Dice {
  readonly #state = new Int32Array(1);

  constructor(random: Random) {
    this.#state[0] = Math.floor(random() * 2 ** 32);
  }

  /** A whole number from 0 up to, but not including, `diceEnd`. */
  throw(): number {
    const state = ((this.#state[0] as number) + 0x6d2b79f5) | 0;
    this.#state[0] = state;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 2;
  }

  /** A whole number from 0 up to, but not including, `end`. */
  below(end: number): number {
    return Math.floor((this.throw() * end) / diceEnd);
  }
}
