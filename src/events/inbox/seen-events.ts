import type { SqlEntityManager } from "@mikro-orm/sql";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import { eventKey } from "../event-key.ts";
import type { InboxRows } from "./inbox-entity.ts";

/**
 * Notes that these events are taken in, and returns those that were not before, in their order, each once.
 *
 * A note that another transaction is about to write is waited for. Ids are written in one order everywhere, so that two
 * who take in the same events do not lock each other out.
 */
export async function noteUnseen(
  em: SqlEntityManager,
  rows: InboxRows,
  { events, source, now }: { readonly events: readonly Event[]; readonly source: string; readonly now: number },
): Promise<Event[]> {
  const byKey = new Map<string, Event>();
  for (const event of events) if (!byKey.has(eventKey(event))) byKey.set(eventKey(event), event);
  if (byKey.size === 0) return [];
  const takenAt = new Date(now);
  const notes = [...byKey.keys()].sort().map((eventId) => ({ eventId, source, takenAt }));
  const written: readonly { readonly eventId: string }[] = await em
    .createQueryBuilder(rows)
    .insert(notes)
    .onConflict(["eventId"])
    .ignore()
    .returning(["eventId"])
    .execute("all");
  const unseen = new Set(written.map(({ eventId }) => eventId));
  return [...byKey].filter(([key]) => unseen.has(key)).map(([, event]) => event);
}
