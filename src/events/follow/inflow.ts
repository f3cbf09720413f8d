import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import type { Clock } from "../../base/clock.ts";
import { Nap } from "../nap.ts";

/** The most events that one batch has. */
const maxBatch = 500;
/** Above so many that wait, nothing more is read. */
const maxWaiting = 2 * maxBatch;

/** What has come of a log: the events, and up to which position there are no others. */
export interface Arrival {
  readonly events: readonly Event[];
  readonly readUpTo: bigint;
}

/**
 * What comes in while what came before is being worked on: all that waits is taken together, so that the next batch is
 * the bigger the slower the last one was. Bounded: who brings more waits.
 */
export class Inflow {
  readonly #arrivals: Arrival[] = [];
  readonly #come: Nap;
  #room = Promise.withResolvers<void>();
  #waiting = 0;
  #end: { readonly reason: unknown } | undefined;

  constructor(clock: Clock) {
    this.#come = new Nap(clock);
  }

  /** Brings more; resolves when there is room for what comes next. */
  async push(arrival: Arrival): Promise<void> {
    this.#arrivals.push(arrival);
    this.#waiting += arrival.events.length;
    this.#come.wake();
    while (this.#waiting >= maxWaiting && this.#end === undefined) await this.#room.promise;
  }

  /** Nothing more will come: `take` fails with the reason, after what has come already. */
  end(reason: unknown): void {
    this.#end ??= { reason };
    this.#come.wake();
    this.#room.resolve();
  }

  /** All that has come, up to 500 events; nothing when nothing comes for `idleMs`. */
  async take(idleMs: number): Promise<Arrival | undefined> {
    if (this.#arrivals.length === 0 && this.#end === undefined) await this.#come.sleep(idleMs);
    const taken = this.#merged();
    if (taken === undefined && this.#end !== undefined) throw this.#end.reason;
    return taken;
  }

  #merged(): Arrival | undefined {
    const events: Event[] = [];
    let last: Arrival | undefined;
    for (let next = this.#arrivals[0]; next !== undefined; next = this.#arrivals[0]) {
      if (events.length > 0 && events.length + next.events.length > maxBatch) break;
      this.#arrivals.shift();
      events.push(...next.events);
      last = next;
    }
    this.#waiting -= events.length;
    this.#room.resolve();
    this.#room = Promise.withResolvers();
    return last && { events, readUpTo: last.readUpTo };
  }
}
