import { toBinary } from "@bufbuild/protobuf";
import { type InferEntity, raw } from "@mikro-orm/core";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { type Event, EventSchema } from "../../../gen/heddle/event/v1/event_pb.ts";
import { query, textsParameter, textsTable } from "../../store/query.ts";
import { eventKey, fitting } from "../event-key.ts";
import type { ParkedEvents } from "./inbox-entity.ts";

/** The longest reason that is kept. */
export const maxReasonLength = 2_000;

/** Why an event waits, and until when. */
export interface Parking {
  readonly source: string;
  /** Wall time. */
  readonly now: number;
  readonly nextAt: number;
  /** Tries so far: none for those that wait behind another. */
  readonly attempts: number;
  readonly reason: string;
}

/** Parks events in the transaction that notes them as taken in: the parked row is what remembers to handle them. */
export async function park(
  em: SqlEntityManager,
  rows: ParkedEvents,
  events: readonly Event[],
  { source, now, nextAt, attempts, reason }: Parking,
): Promise<void> {
  if (events.length === 0) return;
  const fate = { state: "waiting" as const, attempts, reason: fitting(reason, maxReasonLength) };
  const times = { parkedAt: new Date(now), nextAt: new Date(nextAt) };
  await em.insertMany(
    rows,
    events.map((event) => ({
      eventId: eventKey(event),
      source,
      slot: event.slot,
      type: fitting(event.type),
      subject: fitting(event.subject),
      envelope: Buffer.from(toBinary(EventSchema, event)),
      ...fate,
      ...times,
    })),
  );
}

/**
 * Those of the subjects of which an event waits: what comes after it has to wait behind it. One statement, whose text is
 * always the same, as all that is taken in is looked for here.
 */
export async function waitingSubjects(
  em: SqlEntityManager,
  rows: ParkedEvents,
  source: string,
  events: readonly Event[],
): Promise<ReadonlySet<string>> {
  const subjects = [...new Set(events.map(({ subject }) => fitting(subject)))];
  if (subjects.length === 0) return new Set();
  const among = `subject in (select value from ${textsTable(em)})`;
  const sql = `select distinct subject from "${rows.tableName}" where state = 'waiting' and source = ? and ${among}`;
  const waiting = await query<{ readonly subject: string }>(em, sql, [source, textsParameter(subjects)]);
  return new Set(waiting.rows.map(({ subject }) => subject));
}

/** A parked event as a row. */
export type ParkedRow = InferEntity<ParkedEvents>;

/** How many events wait for another try, and how many were given up. */
export interface ParkedCounts {
  readonly waiting: number;
  readonly dead: number;
}

/** Nothing is parked. */
export const none: ParkedCounts = { waiting: 0, dead: 0 };

/** How many are parked of each source; one of which none is may be missing. */
export async function countParked(em: SqlEntityManager, rows: ParkedEvents): Promise<Map<string, ParkedCounts>> {
  const found: readonly {
    readonly source: string;
    readonly state: ParkedRow["state"];
    readonly count: number | string;
  }[] = await em
    .createQueryBuilder(rows)
    .select(["source", "state", raw("count(*) as count")])
    .groupBy(["source", "state"])
    .execute("all");
  const counts = new Map<string, ParkedCounts>();
  for (const { source, state, count } of found) {
    counts.set(source, { ...none, ...counts.get(source), [state]: Number(count) });
  }
  return counts;
}
