import type { Clock } from "../../base/clock.ts";

/** Whether to tell again of what goes on and on: the first time, and once in `everyMs` from then on. */
export function rarely(clock: Clock, everyMs = 60_000): (isFirst: boolean) => boolean {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (isFirst) => {
    if (!isFirst && clock.now() - toldAt < everyMs) return false;
    toldAt = clock.now();
    return true;
  };
}
