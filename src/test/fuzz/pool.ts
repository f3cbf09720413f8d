import type { Coverage, Piece } from "./coverage.ts";
import type { Dice } from "./dice.ts";
import { tryOne } from "./fuzz.ts";
import type { Target } from "./target.ts";

/** Inputs a pool holds at most; then any of them makes room. */
const maxInputs = 3_000;

/** The inputs of one target that each led somewhere none had before: the ground from which new ones grow. */
export class Pool {
  readonly target: Target;
  inputs: Buffer[] = [];
  /** Inputs run, and how many of them were new. */
  ran = 0;
  found = 0;
  readonly #coverage: Coverage;
  readonly #seen = new Set<string>();

  constructor(target: Target, coverage: Coverage) {
    this.target = target;
    this.#coverage = coverage;
  }

  /** How many pieces of code and signs were seen. */
  get seenCount(): number {
    return this.#seen.size;
  }

  /** Runs an input, and keeps it if it led anywhere new. Throws `Broken` if it broke a promise. */
  try(bytes: Buffer, from: string, dice: Dice): void {
    this.ran++;
    const { pieces, signs } = this.#trace(bytes, from);
    const before = this.#seen.size;
    for (const sign of signs) this.#seen.add(sign);
    for (const { path, start, end, count } of pieces)
      if (count > 0) this.#seen.add(`${path}:${start}-${end}×${roughly(count)}`);
    if (this.#seen.size === before) return;
    this.found++;
    if (this.inputs.length < maxInputs) this.inputs.push(bytes);
    else this.inputs[dice.below(maxInputs)] = bytes;
  }

  /** One of the inputs, the youngest more often. */
  pick(dice: Dice): Buffer {
    return dice.pick(dice.chance(0.3) ? this.inputs.slice(-20) : this.inputs);
  }

  #trace(bytes: Buffer, from: string): { pieces: Piece[]; signs: Set<string> } {
    const signs = new Set<string>();
    let pieces: Piece[] = [];
    try {
      tryOne(this.target, bytes, { from, note: (sign) => signs.add(sign) });
    } finally {
      pieces = this.#coverage.take();
    }
    return { pieces, signs };
  }
}

/** Once, twice, thrice, and from there on by powers of two. */
function roughly(count: number): number {
  return count < 4 ? count : 32 - Math.clz32(count);
}
