import { type Client, ConnectError } from "@connectrpc/connect";
import type { EventService } from "../../../gen/heddle/event/v1/event_service_pb.ts";
import { fullJitter } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { Store } from "../../store/orm.ts";
import { readCursors } from "../inbox/cursors.ts";
import type { CursorRows } from "../inbox/inbox-entity.ts";
import { allSlots, slotCount } from "../slots.ts";

/** Beside the cursors of the slots: up to where a log is read beside a broker; and that the broker's queue is known. */
const [untilSlot, knownSlot] = [slotCount, slotCount + 1];

/** A source whose events a broker brings, and who follows it. */
export interface CatchUpParts {
  readonly source: string;
  readonly client: Pick<Client<typeof EventService>, "getEventLog">;
  readonly store: Store;
  readonly cursors: CursorRows;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Has the log of a source read up to where it ends now, by the subscriber beside the broker, unless that was asked for
 * before and the queue is still the same one: a broker drops what is sent while nobody has a queue for it, and what was
 * published before there was a broker it has never seen. It is all in the log, and what was taken in before changes nothing.
 *
 * Asks for the log's end for as long as it takes, until the signal aborts.
 */
export async function catchUp(parts: CatchUpParts, isNewQueue: boolean, signal: AbortSignal): Promise<void> {
  const { client, clock, random, log, source } = parts;
  const backoff = fullJitter({ initialMs: 100, maxMs: 2_000, random });
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      if (!isNewQueue && (await isKnown(parts))) return;
      const { endPosition, backlog } = await client.getEventLog({}, { signal });
      return await ask(parts, { until: endPosition, isEmpty: endPosition === 0n && backlog === 0n });
    } catch (reason) {
      const { message: problem } = ConnectError.from(reason);
      if (attempt === 1) log.info("what was published before there was a queue is read later", { source, problem });
      await clock.sleep(backoff(attempt), signal).catch(() => {}); // closed: the loop ends
    }
  }
}

/** Forgets that there was a broker: who follows the log itself may be followed by a broker again, which has missed that. */
export async function forgetQueue({ store, cursors, source }: Pick<CatchUpParts, "store" | "cursors" | "source">) {
  await store.unit((em) => em.nativeDelete(cursors, { source, slot: { $gte: untilSlot } }));
}

async function isKnown({ store, cursors, source }: CatchUpParts): Promise<boolean> {
  return (await store.read((em) => readCursors(em, cursors, source, [knownSlot]))).size > 0;
}

/**
 * Slots that were followed before there was a broker are read on from there. The row of `until` is written first: who ends an
 * earlier reading locks it.
 */
async function ask(
  { store, cursors, source, log }: CatchUpParts,
  { until, isEmpty }: { readonly until: bigint; readonly isEmpty: boolean },
): Promise<void> {
  await store.unit(async (em) => {
    await em.upsert(cursors, { source, slot: knownSlot, position: until });
    if (isEmpty) return;
    await em.upsert(cursors, { source, slot: untilSlot, position: until });
    await em.upsertMany(
      cursors,
      allSlots.map((slot) => ({ source, slot, position: 0n })),
      { onConflictAction: "ignore" },
    );
  });
  if (!isEmpty) log.info("reading what was published before there was a queue", { source, until });
}
