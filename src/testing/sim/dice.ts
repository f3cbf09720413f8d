import { type Random, seededRandom } from "../../base/random.ts";

/** Dice of which others can be made, each with a fall of its own: what one throws does not shift what another throws. */
export interface Dice extends Random {
  /** Dice that fall by this one's seed and the name alone. */
  fork(name: string): Dice;
  /** A whole number from `low` up to and including `high`. */
  between(low: number, high: number): number;
  /** One of these. */
  oneOf<T>(choices: readonly T[]): T;
  /** True in this share of throws. */
  chance(ratio: number): boolean;
}

/** Dice that fall the same way for the same seed. */
export function dice(seed: number): Dice {
  const random = seededRandom(mixed(seed, 0x9e3779b9));
  return Object.assign(() => random(), {
    fork: (name: string) => dice(hashOf(name, seed)),
    between: (low: number, high: number) => low + Math.floor(random() * (high - low + 1)),
    oneOf<T>(choices: readonly T[]): T {
      if (choices.length === 0) throw new RangeError("there is nothing to choose from");
      return choices[Math.floor(random() * choices.length)] as T;
    },
    chance: (ratio: number) => random() < ratio,
  });
}

/** A number of 32 bits that a name and a seed make (FNV-1a over the name, mixed at the end). */
function hashOf(name: string, seed: number): number {
  let hash = (seed ^ 0x811c9dc5) >>> 0;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return mixed(hash, seed);
}

/** Neighbouring seeds end up far apart (murmur3's finish). */
function mixed(a: number, b: number): number {
  let hash = (a ^ Math.imul(b, 0x85ebca6b)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}
