import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { type Event, EventSchema } from "../../../gen/heddle/event/v1/event_pb.ts";
import { type Parameter, query, queryLater, wallOf } from "../../store/query.ts";
import type { EventRows } from "./event-entity.ts";

/** An event as its row says it. Integers of 64 bits are numbers from one database and text from the other. */
export interface EventRow {
  readonly seq: number | string;
  readonly id: string;
  readonly position: number | string | null;
  readonly slot: number;
  readonly type: string;
  readonly version: number;
  readonly subject: string;
  readonly trace_parent: string;
  readonly time: number | string | Date;
  readonly data_schema: string;
  readonly data: Uint8Array;
}

/** What an event is written with. */
export interface NewEvent {
  readonly id: string;
  readonly slot: number;
  readonly type: string;
  readonly version: number;
  readonly subject: string;
  readonly traceParent: string;
  readonly timeAt: number;
  readonly dataSchema: string;
  readonly data: Uint8Array;
}

/** So many events are written by one statement, so that few texts of it serve all numbers of them. */
const sizes = [64, 16, 4, 1] as const;

/** Writes events without positions, in their order, in the transaction of `em`. */
export async function insertEvents(em: SqlEntityManager, rows: EventRows, events: readonly NewEvent[]): Promise<void> {
  for (let from = 0; from < events.length; ) {
    const size = sizes.find((size) => size <= events.length - from) ?? 1;
    const columns = "id, slot, type, version, subject, trace_parent, time, data_schema, data";
    const values = Array.from({ length: size }, () => "(?, ?, ?, ?, ?, ?, ?, ?, ?)").join(", ");
    const parameters = events.slice(from, from + size).flatMap(valuesOf);
    await queryLater(em, `insert into ${tableOf(rows)} (${columns}) values ${values}`, parameters);
    from += size;
  }
}

function valuesOf(event: NewEvent): Parameter[] {
  const { id, slot, type, version, subject, traceParent, timeAt, dataSchema, data } = event;
  return [id, slot, type, version, subject, traceParent, new Date(timeAt), dataSchema, data];
}

/** Events as they stand in the table; `rest` goes on after `from` the table. */
export async function selectEvents(
  em: SqlEntityManager,
  rows: EventRows,
  { where, parameters = [], columns = "*" }: SelectEvents,
): Promise<readonly EventRow[]> {
  const sql = `select ${columns} from ${tableOf(rows)} where ${where}`;
  return (await query<EventRow>(em, sql, parameters)).rows;
}

/** Which events, in SQL that both databases know. */
export interface SelectEvents {
  /** The condition, and what comes after it: "position > ? order by position limit 10". */
  readonly where: string;
  readonly parameters?: readonly Parameter[];
  /** All, if unset. */
  readonly columns?: string;
}

/** The name of the table, quoted. */
export function tableOf(rows: EventRows): string {
  return `"${rows.tableName}"`;
}

/** The envelope of a row. */
export function eventOf(row: EventRow, source: string): Event {
  return create(EventSchema, {
    id: row.id,
    source,
    type: row.type,
    subject: row.subject,
    time: timestampFromMs(wallOf(row.time)),
    dataContentType: "application/protobuf",
    dataSchema: row.data_schema,
    version: row.version,
    traceParent: row.trace_parent,
    data: row.data,
    position: BigInt(row.position ?? 0),
    slot: row.slot,
  });
}
