import { fromBinary } from "@bufbuild/protobuf";
import { LockMode } from "@mikro-orm/core";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { EventSchema } from "../../../gen/heddle/event/v1/event_pb.ts";
import { messageOf } from "../../base/message-of.ts";
import { fitting } from "../event-key.ts";
import { isNotNow } from "../not-now.ts";
import { handleEvent } from "./handle-event.ts";
import type { InboxParts } from "./inbox-parts.ts";
import { maxReasonLength, type ParkedRow } from "./parked.ts";
import { waitAfter } from "./retry-limits.ts";

/** What came of a try: handled; gone, for somebody else was faster; behind an earlier event of its subject; or failed. */
export type Tried =
  | { readonly kind: "handled" | "gone" | "behind" }
  | { readonly kind: "failed"; readonly reason: string; readonly state: "waiting" | "dead" };

/**
 * Hands a parked event to its handlers once more: what they change, and that it waits no more, are written together. Rejects
 * only when the database cannot be asked; that is no try.
 */
export async function tryParked(parts: InboxParts, seq: bigint): Promise<Tried> {
  let attempts = 0;
  try {
    return await parts.store.unit(async (em): Promise<Tried> => {
      const row = await em.findOne(parts.rows.parked, { seq }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (row === null) return { kind: "gone" };
      attempts = row.attempts;
      if (await isBehind(em, parts, row)) return { kind: "behind" };
      await handle(em, parts, row);
      await em.nativeDelete(parts.rows.parked, { seq });
      return { kind: "handled" };
    });
  } catch (reason) {
    if (isNotNow(reason)) throw reason;
    return failed(parts, { seq, attempts, reason: messageOf(reason) });
  }
}

async function isBehind(em: SqlEntityManager, { rows }: InboxParts, row: ParkedRow): Promise<boolean> {
  const { source, subject, seq } = row;
  return (await em.count(rows.parked, { state: "waiting", source, subject, seq: { $lt: seq } })) > 0;
}

async function handle(em: SqlEntityManager, { known, clock }: InboxParts, row: ParkedRow): Promise<void> {
  const event = fromBinary(EventSchema, row.envelope);
  const what = known.of(row.source, event.type);
  if (what === undefined) throw new Error(`this program has no handler of ${event.type} from ${row.source}`);
  await handleEvent(em, what, event, clock.wall());
}

/** Notes a failed try, unless somebody else has tried meanwhile. A dead letter stays one. */
async function failed(
  parts: InboxParts,
  { seq, attempts, reason }: { readonly seq: bigint; readonly attempts: number; readonly reason: string },
): Promise<Tried> {
  const { store, rows, limits, clock } = parts;
  const waitMs = waitAfter(attempts + 1, limits);
  const noted = await store.unit(async (em) => {
    const row = await em.findOne(rows.parked, { seq, attempts }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (row === null) return undefined;
    const died = row.state === "waiting" && waitMs === undefined;
    row.attempts = attempts + 1;
    row.reason = fitting(reason, maxReasonLength);
    if (died) row.state = "dead";
    row.nextAt = row.state === "dead" ? null : new Date(clock.wall() + (waitMs ?? 0));
    return { row, died };
  });
  if (noted === undefined) return { kind: "gone" };
  if (noted.died) tellDead(parts, noted.row);
  return { kind: "failed", reason, state: noted.row.state };
}

function tellDead({ log, hooks }: InboxParts, row: ParkedRow): void {
  const { eventId, source, type, subject, attempts, reason } = row;
  const advice = `mend what it says, then: heddle events replay ${eventId}`;
  log.error("an event is a dead letter", { event: eventId, source, type, subject, attempts, reason, advice });
  hooks.dead?.({ source, type });
}
