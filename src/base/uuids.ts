import { v7 } from "uuid";
import type { Clock } from "./clock.ts";
import { type Random, systemRandom } from "./random.ts";

const maxSequence = 2 ** 32 - 1;

/**
 * Makes UUIDv7s, each larger than the one before, also within one millisecond or when the clock is set back: lists
 * by id are lists by age. https://www.rfc-editor.org/rfc/rfc9562#section-6.2
 */
export function createUuids(clock: Clock, random: Random = systemRandom): () => string {
  let msecs = 0;
  let seq = 0;
  return () => {
    const now = clock.wall();
    const later = now > msecs || seq === maxSequence;
    msecs = Math.max(now, later ? msecs + 1 : msecs);
    seq = later ? 0 : seq + 1;
    return v7({ msecs, seq, ...(random !== systemRandom && { random: bytesOf(random) }) });
  };
}

/** The system's dice are thrown by the library itself, which has better ones. */
function bytesOf(random: Random): Uint8Array {
  return Uint8Array.from({ length: 16 }, () => random() * 256);
}
