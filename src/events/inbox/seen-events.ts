import type { SqlEntityManager } from "@mikro-orm/sql";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import { query, textsParameter, textsTable } from "../../store/query.ts";
import { eventKey } from "../event-key.ts";
import type { InboxRows } from "./inbox-entity.ts";

/**
 * Notes that these events are taken in, and returns those that were not before, in their order, each once.
 *
 * A note that another transaction is about to write is waited for. Ids are written in one order everywhere, so that two
 * who take in the same events do not lock each other out. One statement, whose text is always the same, since everything
 * that is taken in comes by here.
 */
export async function noteUnseen(
  em: SqlEntityManager,
  rows: InboxRows,
  { events, source, now }: { readonly events: readonly Event[]; readonly source: string; readonly now: number },
): Promise<Event[]> {
  const byKey = new Map<string, Event>();
  for (const event of events) if (!byKey.has(eventKey(event))) byKey.set(eventKey(event), event);
  if (byKey.size === 0) return [];
  const ids = textsParameter([...byKey.keys()].sort());
  const noted = `select value, ?, cast(? as timestamptz) from ${textsTable(em)} where true`;
  const sql = `insert into "${rows.tableName}" (event_id, source, taken_at) ${noted} on conflict (event_id) do nothing returning event_id`;
  const written = await query<{ readonly event_id: string }>(em, sql, [source, new Date(now), ids]);
  const unseen = new Set(written.rows.map(({ event_id }) => event_id));
  return [...byKey].filter(([key]) => unseen.has(key)).map(([, event]) => event);
}
