import { performance } from "node:perf_hooks";
import { Dice } from "./dice.ts";
import { mutate } from "./mutate.ts";
import type { Target } from "./target.ts";

/** Longest that an input may take. Far above what any does, so that a busy machine is not mistaken for a hang. */
const maxMs = 2_000;
const maxShrinkMs = 5_000;

/** An input that broke a promise, and what it takes to see it again. */
export class Broken extends Error {
  override readonly name = "Broken";
  readonly bytes: Buffer;

  constructor(target: Target, bytes: Buffer, { from, cause }: { from: string; cause: unknown }) {
    super(`${target.name}, ${from}: ${String(cause)}\ninput: ${bytes.toString("hex")}`, { cause });
    this.bytes = bytes;
  }
}

/** Runs one input; `from` says where it comes from, should it break something. */
export function tryOne(
  target: Target,
  bytes: Buffer,
  { from, note = () => {} }: { from: string; note?: (sign: string) => void },
) {
  const startedAt = performance.now();
  try {
    target.run(Buffer.from(bytes), note);
  } catch (cause) {
    throw new Broken(target, bytes, { from, cause });
  }
  const ms = performance.now() - startedAt;
  if (ms > maxMs) throw new Broken(target, bytes, { from, cause: `it took ${ms.toFixed()} ms` });
}

/** Runs `rounds` inputs made from the examples by `seed`: the same each time. */
export function tryMany(
  target: Target,
  from: readonly Buffer[],
  { seed, rounds }: { seed: number; rounds: number },
): void {
  const dice = new Dice(seed);
  for (let round = 0; round < rounds; round++) {
    const bytes = mutate(target, dice, { example: dice.pick(from), other: dice.pick(from) });
    tryOne(target, bytes, { from: `seed ${seed}, round ${round}` });
  }
}

/** The shortest input found in a few seconds that still breaks a promise, by leaving out more and more. */
export function shrink(target: Target, broken: Broken): Buffer {
  const until = performance.now() + maxShrinkMs;
  let best = broken.bytes;
  for (let size = best.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < best.length && performance.now() < until; ) {
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (breaks(target, shorter)) best = shorter;
      else at += size;
    }
  }
  return best;
}

function breaks(target: Target, bytes: Buffer): boolean {
  try {
    target.run(Buffer.from(bytes), () => {});
    return false;
  } catch {
    return true;
  }
}
