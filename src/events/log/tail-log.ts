import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import type { Clock } from "../../base/clock.ts";
import type { EventLog, Wanted } from "./event-log.ts";

const maxEvents = 500;
const maxBytes = 1024 * 1024;

/** Events that go out together. */
export interface LogBatch {
  /** None: all that is wanted up to `end` has been told. */
  readonly events: readonly Event[];
  /** The last position of the log, as far as is known. */
  readonly end: bigint;
}

/** What following needs. */
export interface TailOptions extends Wanted {
  readonly log: EventLog;
  readonly clock: Clock;
  /** Ends the following: its caller has gone, or the server drains. */
  readonly signal: AbortSignal;
  /** Silence after which an empty batch says that all is well. Default 5 s. */
  readonly heartbeatMs?: number;
}

/**
 * What is wanted of a log after the cursors, in its order, then each new event as it comes, until the signal aborts. It reads
 * no further than it is listened to, so who is slow keeps nobody else waiting and costs no memory.
 */
export async function* tailLog(options: TailOptions): AsyncGenerator<LogBatch, void, undefined> {
  const { log, clock, signal, cursors, heartbeatMs = 5_000 } = options;
  const bell = createBell();
  const leave = log.head.follow(bell.ring);
  signal.addEventListener("abort", bell.ring);
  try {
    let end = await log.check({ cursors });
    for (let told = least(cursors.values()); !signal.aborted; end = log.head.end.value ?? end) {
      // What is known here may be older than what was looked up for the cursors, or the log was restored under us.
      if (end < told) await log.check({ cursors: new Map([[0, told]]) });
      if (end <= told) {
        if (!(await bell.rung(clock, heartbeatMs))) yield { events: [], end };
        continue;
      }
      const { events, upTo } = await log.page(told, end, options);
      for (const batch of cut(events)) yield { events: batch, end };
      told = upTo;
      if (told < end) await clock.sleep(0, signal).catch(() => {}); // there is more to read: calls come first
    }
  } finally {
    signal.removeEventListener("abort", bell.ring);
    leave();
  }
}

function least(positions: Iterable<bigint>): bigint {
  let least: bigint | undefined;
  for (const position of positions) if (least === undefined || position < least) least = position;
  return least ?? 0n;
}

/** Batches that fit into a message, whatever the size of the events. */
function* cut(events: readonly Event[]): Generator<readonly Event[]> {
  let batch: Event[] = [];
  let bytes = 0;
  for (const event of events) {
    if (batch.length === maxEvents || (batch.length > 0 && bytes + event.data.length > maxBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(event);
    bytes += event.data.length;
  }
  if (batch.length > 0) yield batch;
}

/** Something to wait for: a ring is remembered until somebody waits. */
function createBell() {
  let wake: (() => void) | undefined;
  let pending = false;
  return {
    ring: () => {
      pending = true;
      wake?.();
    },
    /** True once rung; false after so much silence. */
    rung: (clock: Clock, silenceMs: number): Promise<boolean> =>
      new Promise((resolve) => {
        const done = (news: boolean) => {
          wake = undefined;
          pending = false;
          timer.cancel();
          resolve(news);
        };
        const timer = clock.setTimer(silenceMs, () => done(false));
        wake = () => done(true);
        if (pending) wake();
      }),
  };
}
