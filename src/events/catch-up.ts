import { type Client, ConnectError } from "@connectrpc/connect";
import type { EventService } from "../../gen/heddle/event/v1/event_service_pb.ts";
import { fullJitter } from "../base/backoff.ts";
import { isCursorMoved, readCursors } from "./cursors.ts";
import { type FollowParts, followLog } from "./follow-log.ts";
import { allSlots } from "./slots.ts";

/** Whose log is read, and by whom, where a broker brings what is new. */
export interface CatchUpParts extends Omit<FollowParts, "client"> {
  readonly client: Pick<Client<typeof EventService>, "subscribe" | "getEventLog">;
}

/** Beside the cursors of the slots: up to where the log is to be read, for what came later is in the broker's queue. */
const targetSlot = -1;

/**
 * Reads of a source's log what was published before the broker had a queue for us: events that are sent when nobody has a
 * queue for them are lost to the broker, and are in the log all the same. What was taken in before changes nothing.
 *
 * Up to where is written down before it begins, so that one that was cut short goes on after a restart, and one that has
 * been done is not done again unless the queue is new.
 */
export async function catchUp(parts: CatchUpParts, isNewQueue: boolean, signal: AbortSignal): Promise<void> {
  const { clock, random, log, source } = parts;
  const backoff = fullJitter({ initialMs: 100, maxMs: 5_000, random });
  let target: bigint | undefined;
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      target ??= await targetOf(parts, isNewQueue, signal);
      return await readUpTo(parts, target, signal);
    } catch (reason) {
      if (signal.aborted) return;
      if (attempt === 1 && !isCursorMoved(reason)) {
        const { message } = ConnectError.from(reason);
        log.info("the log cannot be read for the moment: asking again and again", { source, reason: message });
      }
      await clock.sleep(backoff(attempt), signal).catch(() => {}); // closed: the loop ends
    }
  }
}

/** Forgets what a broker's queue has brought: what follows reads the log itself, and a broker would begin anew. */
export async function forgetCatchUp({ store, cursors }: Pick<FollowParts, "store" | "cursors">, source: string) {
  await store.unit((em) => em.nativeDelete(cursors, { source, slot: targetSlot }));
}

async function targetOf({ store, cursors, client, source }: CatchUpParts, isNew: boolean, signal: AbortSignal) {
  const written = await store.read((em) => readCursors(em, cursors, source, [targetSlot]));
  const known = written.get(targetSlot);
  if (known !== undefined && !isNew) return known;
  const { endPosition } = await client.getEventLog({}, { signal });
  await store.unit((em) => em.upsert(cursors, { source, slot: targetSlot, position: endPosition }));
  return endPosition;
}

async function readUpTo(parts: CatchUpParts, until: bigint, signal: AbortSignal): Promise<void> {
  const { store, cursors, source, log } = parts;
  const written = await store.read((em) => readCursors(em, cursors, source, allSlots));
  const from = new Map(allSlots.map((slot) => [slot, written.get(slot) ?? 0n]));
  if ([...from.values()].every((position) => position >= until)) return;
  log.info("reading what was published before there was a queue", { source, until });
  await followLog(parts, { from, until, signal });
}
