import { type Clock, sleepOn } from "../base/clock.ts";

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /** Moves time on, firing what falls due in its order, and lets promises settle between one timer and the next. */
  advance(ms: number): Promise<void>;
  /** Sets the calendar on by `ms`, or back, as somebody does who corrects a machine's date. Nothing else moves. */
  jump(ms: number): void;
  /** Timers set and neither fired nor cancelled: for tests that nothing is left behind. */
  readonly pending: number;
  /** The spans that were slept or are being slept, in order. */
  readonly sleeps: readonly number[];
}

interface Entry {
  readonly at: number;
  readonly fn: () => void;
}

/** A clock at `startMs` milliseconds since the epoch; 2026-01-01 by default, so that dates read like dates. */
export function fakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let now = startMs;
  let jumpedMs = 0;
  const entries = new Set<Entry>();
  const sleeps: number[] = [];

  function setTimer(ms: number, fn: () => void) {
    const entry = { at: now + Math.max(ms, 0), fn };
    entries.add(entry);
    return { cancel: () => void entries.delete(entry) };
  }

  function nextDue(until: number): Entry | undefined {
    let due: Entry | undefined;
    for (const entry of entries) if (entry.at <= until && (due === undefined || entry.at < due.at)) due = entry;
    return due;
  }

  return {
    now: () => now,
    wall: () => Math.floor(now + jumpedMs),
    jump(ms) {
      jumpedMs += ms;
    },
    setTimer,
    sleep(ms, signal) {
      sleeps.push(ms);
      return sleepOn({ setTimer }, ms, signal);
    },
    async advance(ms) {
      const until = now + ms;
      await settled();
      for (let due = nextDue(until); due !== undefined; due = nextDue(until)) {
        now = due.at;
        entries.delete(due);
        due.fn();
        await settled();
      }
      now = until;
      await settled();
    },
    get pending() {
      return entries.size;
    },
    sleeps,
  };
}

/** Lets everything that is ready run: promises, and what they make ready. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
