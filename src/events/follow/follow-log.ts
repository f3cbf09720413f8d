import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { EventService } from "../../../gen/heddle/event/v1/event_service_pb.ts";
import { fullJitter } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { Store } from "../../store/orm.ts";
import type { TakeIn } from "../delivery.ts";
import { type Cursors, isCursorMoved, lowest, moveCursors, movedMeanwhile, readCursors } from "../inbox/cursors.ts";
import type { CursorRows } from "../inbox/inbox-entity.ts";
import { isNotNow } from "../not-now.ts";
import { type Arrival, Inflow } from "./inflow.ts";

/** How often to see whether somebody else has moved the cursors, while nothing comes. */
export const lookMs = 1_000;
/** A source sends something each 5 s: one that is silent for longer is not there any more. */
const silenceMs = 20_000;

/** Whose log is followed, by whom. */
export interface FollowParts {
  readonly source: string;
  /** The service that follows: "user". */
  readonly subscriber: string;
  readonly types: readonly string[];
  readonly client: Pick<Client<typeof EventService>, "subscribe" | "getEventLog">;
  readonly store: Store;
  readonly cursors: CursorRows;
  readonly takeIn: TakeIn;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What to follow, and how long. */
export interface FollowOptions {
  /** The slots, each with how far it has been read. */
  readonly from: Cursors;
  /** Resolves as soon as all is taken in up to here. Unset: follows until it is cut off. */
  readonly until?: bigint;
  readonly signal: AbortSignal;
  /** Called with the last position of the log, as it is told. */
  readonly onEnd?: (position: bigint) => void;
}

/**
 * Follows a log over one stream, taking in what came while the next is on its way. Rejects when it is cut off, with
 * CURSOR_MOVED when a cursor is moved by somebody else, and with the signal's reason; what was being taken in is done by then.
 * Resolves with where the cursors are.
 */
export async function followLog(parts: FollowParts, options: FollowOptions): Promise<Cursors> {
  const inflow = new Inflow(parts.clock);
  const stop = new AbortController();
  const abort = () => stop.abort(options.signal.reason);
  options.signal.addEventListener("abort", abort);
  if (options.signal.aborted) abort();
  stop.signal.addEventListener("abort", () => inflow.end(stop.signal.reason));
  const reading = read(parts, options, { inflow, stop }).catch((reason: unknown) => inflow.end(reason));
  try {
    return await apply(parts, options, { inflow, stop });
  } finally {
    options.signal.removeEventListener("abort", abort);
    stop.abort(new ConnectError("nobody follows any more", Code.Canceled));
    await reading;
  }
}

interface Flow {
  readonly inflow: Inflow;
  readonly stop: AbortController;
}

async function read(parts: FollowParts, { from, onEnd }: FollowOptions, { inflow, stop }: Flow): Promise<void> {
  const { client, subscriber, clock, types, source } = parts;
  const cursors = [...from].map(([slot, after]) => ({ slot, after }));
  const silent = () => stop.abort(new ConnectError(`${source} is silent`, Code.Unavailable));
  let timer = clock.setTimer(silenceMs, silent);
  try {
    const request = { subscriber, types: [...types], cursors };
    for await (const { events, endPosition } of client.subscribe(request, { signal: stop.signal })) {
      timer.cancel();
      onEnd?.(endPosition);
      await inflow.push({ events, readUpTo: events.at(-1)?.position ?? endPosition });
      timer = clock.setTimer(silenceMs, silent);
    }
  } finally {
    timer.cancel();
  }
  throw new ConnectError(`${source} has ended the stream`, Code.Unavailable);
}

async function apply(parts: FollowParts, options: FollowOptions, { inflow, stop }: Flow): Promise<Cursors> {
  let at = options.from;
  for (const { until } = options; until === undefined || lowest(at.values()) < until; ) {
    const arrival = await inflow.take(lookMs);
    stop.signal.throwIfAborted();
    if (arrival === undefined) await assertAt(parts, at);
    else at = await takeIn(parts, { at, arrival, signal: stop.signal });
  }
  return at;
}

interface Step {
  readonly at: Cursors;
  readonly arrival: Arrival;
  readonly signal: AbortSignal;
}

/** Takes in what has come, and again until the database can be asked; resolves with where the cursors are then. */
async function takeIn(parts: FollowParts, { at, arrival, signal }: Step): Promise<Cursors> {
  const { source, cursors, clock, random, log } = parts;
  const { events, readUpTo } = arrival;
  const backoff = fullJitter({ initialMs: 50, maxMs: 2_000, random });
  const settle = (em: Parameters<typeof moveCursors>[0]) =>
    moveCursors(em, cursors, { source, from: at, to: readUpTo });
  for (let attempt = 1; ; attempt++) {
    try {
      await parts.takeIn({ source, events, settle });
      return moved(at, readUpTo);
    } catch (error) {
      if (isCursorMoved(error) || !isNotNow(error)) throw error;
      if (attempt === 1) log.warn("events wait: they cannot be taken in for the moment", { source, error });
      await clock.sleep(backoff(attempt), signal);
    }
  }
}

/** None is put back: some slots may have been read further than the others. */
function moved(at: Cursors, to: bigint): Cursors {
  return new Map([...at].map(([slot, position]) => [slot, position < to ? to : position] as const));
}

/** Throws when the cursors are not where we are any more: a rebuild has put them back, or another replica has read on. */
async function assertAt({ store, cursors, source }: FollowParts, at: Cursors): Promise<void> {
  const now = await store.read((em) => readCursors(em, cursors, source, [...at.keys()]));
  for (const [slot, position] of at) if ((now.get(slot) ?? 0n) !== position) throw movedMeanwhile(source);
}
