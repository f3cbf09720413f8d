import { performance } from "node:perf_hooks";

/** How busy an event loop was over a while. */
export interface LoopReading {
  /** The share of that while in which it ran code, from 0 to 1. */
  readonly utilization: number;
  /** How long one turn of it took, in milliseconds: what arrives waits about as long until it is looked at. */
  readonly delayMs: number;
}

/** Says how busy the event loop is, handed in wherever it is needed, so that a test or a simulation can say so instead. */
export interface LoopLoad {
  /** How busy it was since this was asked last. */
  read(): LoopReading;
}

/** What a loop has counted since it started. */
export interface LoopCounts {
  /** Milliseconds. */
  readonly now: number;
  /** Milliseconds in which it had nothing to do. */
  readonly idleMs: number;
  readonly turns: number;
}

const nothing: LoopReading = { utilization: 0, delayMs: 0 };

/** A loop that is never busy: for servers on a clock of their own, to which this process's load means nothing. */
export const idleLoop: LoopLoad = { read: () => nothing };

/**
 * The load of this thread's event loop, by what the loop counts anyway: reading it sets no timer and wakes nobody. Each
 * reader needs one of its own.
 *
 * A turn is as long as the mean over the turns since the last reading; the one under way, where none has ended since.
 * The mean, since one long turn among many is a hiccup, which is over once it is seen.
 */
export function createLoopLoad(count: () => LoopCounts = ownCounts): LoopLoad {
  let since = count();
  let delayMs = 0;
  return {
    read() {
      const counts = count();
      const elapsedMs = counts.now - since.now;
      const busyMs = Math.max(0, elapsedMs - (counts.idleMs - since.idleMs));
      const turns = counts.turns - since.turns;
      if (turns <= 0) {
        delayMs = Math.max(delayMs, busyMs); // since the turn began, not since the last reading
        return { utilization: 1, delayMs };
      }
      since = counts;
      delayMs = busyMs / turns;
      return { utilization: elapsedMs > 0 ? busyMs / elapsedMs : 0, delayMs };
    },
  };
}

function ownCounts(): LoopCounts {
  const { idle: idleMs } = performance.eventLoopUtilization();
  return { now: performance.now(), idleMs, turns: performance.nodeTiming.uvMetricsInfo.loopCount };
}
