import type { EntitySchema } from "@mikro-orm/sql";
import {
  type CursorRows,
  cursorRows,
  type InboxRows,
  inboxRows,
  type ParkedEvents,
  parkedEvents,
} from "./inbox/inbox-entity.ts";
import { type EventRows, eventRows } from "./outbox/event-entity.ts";
import { type EventResends, eventResends } from "./outbox/resend-entity.ts";
import { type WorkLeases, workLeases } from "./shares/lease-entity.ts";

/** The tables by which one service publishes events and takes them in; they lie beside its own, in its database. */
export interface ServiceEventRows {
  readonly events: EventRows;
  readonly resends: EventResends;
  readonly leases: WorkLeases;
  readonly inbox: InboxRows;
  readonly cursors: CursorRows;
  readonly parked: ParkedEvents;
  /** All of them, as `openStore` takes them. */
  readonly entities: readonly EntitySchema[];
}

/** The tables of one service; made once, where its entities are. */
export function serviceEventRows(service: string): ServiceEventRows {
  const rows = {
    events: eventRows(service),
    resends: eventResends(service),
    leases: workLeases(service),
    inbox: inboxRows(service),
    cursors: cursorRows(service),
    parked: parkedEvents(service),
  };
  return { ...rows, entities: Object.values(rows) as unknown as readonly EntitySchema[] };
}
