import { type Random, seededRandom } from "../../base/random.ts";

/** Numbers around which mistakes are made: the ends of bytes, words, windows and frame sizes. */
const edges = [0, 1, 2, 7, 8, 9, 16, 31, 32, 63, 64, 127, 128, 255, 256, 1_000, 16_383, 16_384, 16_385, 65_535, 65_536];
const farEdges = [2 ** 24 - 1, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** What chance decides while bytes are made and changed; the same for the same seed. */
export class Dice {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A whole number from 0 up to, but not including, `end`. */
  below(end: number): number {
    return Math.floor(this.#random() * end);
  }

  chance(ratio: number): boolean {
    return this.#random() < ratio;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** A length or position up to `end`, small ones far more often. */
  small(end: number): number {
    return Math.floor(this.#random() ** 3 * end);
  }

  /** A number that fits 32 bits and is likely to be one too many or too few for something. */
  edge(): number {
    return this.chance(0.2) ? this.pick(farEdges) : this.pick(edges);
  }

  /** `length` bytes: any, or text, or ones and zeros alone. */
  bytes(length: number): Buffer {
    const kinds = [() => this.below(256), () => 0x20 + this.below(95), () => this.pick([0, 0xff])];
    return Buffer.from(Array.from({ length }, this.pick(kinds)));
  }
}
