import { isDeepStrictEqual } from "node:util";
import { crc32 } from "node:zlib";
import { Dice } from "./dice.ts";
import { promised } from "./target.ts";

/** `bytes` in some hundred pieces at most, as a socket might give them: the same ones for the same bytes. */
export function shredded(bytes: Buffer): Buffer[] {
  const dice = new Dice(crc32(bytes));
  const most = Math.max(dice.pick([1, 10, 100, 5_000]), bytes.length >> 8);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + dice.below(most);
    pieces.push(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
  }
  return pieces;
}

/** Throws unless `tell` says the same of the pieces as of the whole. */
export function promiseCutsDoNotMatter<T>(
  bytes: Buffer,
  pieces: readonly Buffer[],
  tell: (pieces: readonly Buffer[]) => T,
) {
  const [whole, cut] = [tell([bytes]), tell(pieces)];
  if (isDeepStrictEqual(whole, cut)) return;
  promised(false, `cut after ${pieces[0]?.length}: ${JSON.stringify(whole)} became ${JSON.stringify(cut)}`);
}
