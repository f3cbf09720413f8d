import { createLoopLoad, type LoopLoad } from "../base/loop-load.ts";
import { seededRandom } from "../base/random.ts";

/** What a virtual server is asked, and what it costs it. */
export interface VirtualLoopOptions {
  /** Calls that arrive at `ms`, in multiples of what the server can answer. */
  readonly load: (ms: number) => number;
  /** Milliseconds that a call costs, and that refusing one costs. */
  readonly costMs?: number;
  readonly refusalMs?: number;
  /** An answer later than that counts for nothing. */
  readonly deadlineMs?: number;
  readonly seconds?: number;
  /** Shares of the classes among the calls, adding up to 1. */
  readonly mix?: readonly number[];
}

/** What came of the calls. */
export interface VirtualRun {
  /** Answers in time, by what the server could have answered in that time. */
  readonly goodput: number;
  readonly refused: number;
  /** The share of each class that was answered in time. */
  readonly answered: readonly number[];
}

/**
 * An event loop with a queue before it, on no clock but its own: each turn takes all that has arrived and works it off
 * call by call, as Node does with what its sockets hold. `judge` is told of each call before it costs anything.
 */
export function runVirtualLoop(options: VirtualLoopOptions, judge: Judge): VirtualRun {
  const { costMs = 1, refusalMs = 0.03, deadlineMs = 1_000, seconds = 20 } = options;
  const take = arrivals({ ...options, costMs });
  const counts = { now: 0, idleMs: 0, turns: 0 };
  const loop = createLoopLoad(() => ({ ...counts }));
  const arrived = new Float64Array(6);
  const inTime = new Float64Array(6);
  let refused = 0;
  while (counts.now < seconds * 1_000) {
    counts.turns++;
    const { batch, nextAt } = take(counts.now);
    if (batch.length === 0) {
      counts.idleMs += nextAt - counts.now;
      counts.now = nextAt;
    }
    for (const { callClass, at } of batch) {
      const isRefused = judge({ callClass, now: counts.now }, loop);
      counts.now += isRefused ? refusalMs : costMs;
      arrived[callClass] = nth(arrived, callClass) + 1;
      if (isRefused) refused++;
      else if (counts.now - at <= deadlineMs) inTime[callClass] = nth(inTime, callClass) + 1;
    }
  }
  const all = inTime.reduce((sum, count) => sum + count, 0);
  const answered = [...inTime].map((count, i) => count / Math.max(1, nth(arrived, i)));
  return { goodput: (all * costMs) / counts.now, refused, answered };
}

/** Whether to refuse the call. */
export type Judge = (call: { readonly callClass: number; readonly now: number }, loop: LoopLoad) => boolean;

const nth = (counts: Float64Array, i: number) => counts[i] as number;

/** Calls come by chance, on the average as many as `load` says: takes those that have come by `now`. */
function arrivals({
  load,
  costMs,
  mix = [0, 0.1, 0.05, 0.75, 0, 0.1],
}: VirtualLoopOptions & { readonly costMs: number }) {
  const random = seededRandom(3);
  let nextAt = 0;
  return (now: number) => {
    const batch: { readonly callClass: number; readonly at: number }[] = [];
    while (nextAt <= now) {
      batch.push({ callClass: chosen(mix, random()), at: nextAt });
      nextAt += (-Math.log(1 - random()) * costMs) / load(nextAt);
    }
    return { batch, nextAt };
  };
}

function chosen(mix: readonly number[], dice: number): number {
  let left = dice;
  for (let i = 0; i < mix.length; i++) {
    left -= mix[i] as number;
    if (left < 0) return i;
  }
  return mix.length - 1;
}
