import type { Dice } from "./dice.ts";

/**
 * Something that reads bytes nobody vouches for. `run` throws only if a promise was broken: whatever the bytes are, all
 * that may come of them is what is documented. It is a plain function, so that anything that reads bytes can be one.
 */
export interface Target {
  readonly name: string;
  /** The folder of its examples, in corpus/; targets that read the same bytes share one. */
  readonly corpus: string;
  /** `note` is told what the bytes led to, in a few words: what was never noted before is worth keeping. */
  run(bytes: Buffer, note: (sign: string) => void): void;
  /** Cuts bytes where their parts begin, such as frames, so that whole parts can be moved; joined, they are the bytes. */
  split?(bytes: Buffer): Buffer[];
  /** Changes one part in a way that leaves it a part: a length that fits, another type. */
  twist?(part: Buffer, dice: Dice): Buffer;
}

/** Throws unless `holds`: a promise was broken. */
export function promised(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`broken promise: ${what}`);
}
