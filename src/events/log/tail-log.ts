import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import type { Clock } from "../../base/clock.ts";
import { Nap } from "../nap.ts";
import type { EventLog, Wanted } from "./event-log.ts";

/** Reading a message is one piece of work, for which calls of who follows wait. */
const maxEvents = 100;
const maxBytes = 1024 * 1024;

/** Events that go out together. */
export interface LogBatch {
  /** None: all that is wanted up to `end` has been told. */
  readonly events: readonly Event[];
  /** With events, the last position of the log, as far as is known. */
  readonly end: bigint;
}

/** What following needs. */
export interface TailOptions extends Wanted {
  readonly log: EventLog;
  readonly clock: Clock;
  /** Ends the following: its caller has gone, or the server drains. */
  readonly signal: AbortSignal;
  /** After so long without anything that is wanted, an empty batch says how far the log has been told. Default 5 s. */
  readonly heartbeatMs?: number;
}

/**
 * What is wanted of a log after the cursors, in its order, then each new event as it comes, until the signal aborts. It reads
 * no further than it is listened to, so who is slow keeps nobody else waiting and costs no memory. Empty batches come whatever
 * else the log gets: a cursor has to move, too, where nothing is wanted.
 */
export async function* tailLog(options: TailOptions): AsyncGenerator<LogBatch, void, undefined> {
  const { log, clock, signal, cursors, heartbeatMs = 5_000 } = options;
  const nap = new Nap(clock);
  const leave = log.head.follow(nap.wake);
  signal.addEventListener("abort", nap.wake);
  try {
    let end = await log.check({ cursors });
    let heardAt = clock.now();
    for (let told = least(cursors.values()); !signal.aborted; end = log.head.end.value ?? end) {
      // What is known here may be older than what was looked up for the cursors, or the log was restored under us.
      if (end < told) await log.check({ cursors: new Map([[0, told]]) });
      if (clock.now() - heardAt >= heartbeatMs) {
        yield { events: [], end: told };
        heardAt = clock.now();
      }
      if (end <= told) {
        await nap.sleep(heardAt + heartbeatMs - clock.now());
        continue;
      }
      const { events, upTo } = await log.page(told, end, options);
      for (const batch of cut(events)) yield { events: batch, end };
      if (events.length > 0) heardAt = clock.now();
      told = upTo;
      if (told < end) await clock.sleep(0, signal).catch(() => {}); // there is more to read: calls come first
    }
  } finally {
    signal.removeEventListener("abort", nap.wake);
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
