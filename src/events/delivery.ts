import type { SqlEntityManager } from "@mikro-orm/sql";
import type { Event } from "../../gen/heddle/event/v1/event_pb.ts";

/** Events of one source that came together, those of one subject in order. */
export interface Batch {
  readonly source: string;
  readonly events: readonly Event[];
  /** Runs in the transaction that takes the events in: moves the cursor. Throws when somebody else has moved it. */
  readonly settle?: (em: SqlEntityManager) => Promise<void>;
}

/**
 * Takes a batch in; resolves when each of its events was handled, had been before, or is parked in the database: from then
 * on it may be forgotten by whoever brought it. Rejects when the database cannot be asked: then nothing was taken in.
 */
export type TakeIn = (batch: Batch) => Promise<void>;

/** A way by which events leave a service beside its own log: a broker. */
export interface EventSink extends AsyncDisposable {
  /** Resolves when the broker keeps them all; rejects with UNAVAILABLE when it may not. Order is kept. */
  send(events: readonly Event[]): Promise<void>;
}
