import { v7 } from "uuid";
import type { Clock } from "../../base/clock.ts";

const maxSequence = 2 ** 32 - 1;

/**
 * Makes UUIDv7s, each larger than the one before, also within one millisecond or when the clock is set back: lists
 * by id are lists by age. https://www.rfc-editor.org/rfc/rfc9562#section-6.2
 */
export function createOrderIds(clock: Clock): () => string {
  let msecs = 0;
  let seq = 0;
  return () => {
    const now = clock.wall();
    const later = now > msecs || seq === maxSequence;
    msecs = Math.max(now, later ? msecs + 1 : msecs);
    seq = later ? 0 : seq + 1;
    return v7({ msecs, seq });
  };
}
