import { LockMode } from "@mikro-orm/core";
import { type SqlEntityManager, SqlitePlatform } from "@mikro-orm/sql";
import type { Store } from "../../store/orm.ts";
import { withoutLimit } from "../../store/time-left.ts";
import type { Subscription } from "../handler.ts";
import type { CursorRows } from "../inbox/inbox-entity.ts";
import type { ServiceEventRows } from "../rows.ts";
import { allSlots, slotCount } from "../slots.ts";

/** The cursor that stands behind those of the slots while a rebuild reads the log beside a broker: up to where. */
const untilSlot = slotCount;

/** What is made anew. */
export interface RebuildOptions {
  readonly store: Store;
  readonly rows: Pick<ServiceEventRows, "inbox" | "parked" | "cursors">;
  readonly subscription: Subscription & Required<Pick<Subscription, "clear">>;
  /** Up to where the log is read beside a broker, which goes on bringing what is new. Unset: it is followed anyway. */
  readonly until?: bigint;
}

/**
 * Empties the view that was made of a source's events, and forgets that they were ever seen: those who follow the log
 * begin again. One transaction, in which nobody takes in anything: otherwise an event could be noted whose effect is emptied.
 */
export async function rebuild({ store, rows, subscription, until }: RebuildOptions): Promise<void> {
  const { source, clear } = subscription;
  const { cursors, inbox, parked } = rows;
  await withoutLimit(() =>
    store.unit(async (em) => {
      await keepOthersOut(em, [cursors, inbox, parked]);
      await em.nativeDelete(cursors, { source, slot: { $lte: untilSlot } });
      await em.nativeDelete(inbox, { source });
      await em.nativeDelete(parked, { source });
      await clear(em);
      if (until !== undefined) await begin(em, cursors, source, until);
    }),
  );
}

/** Up to where a rebuild beside a broker reads, if one is under way. */
export async function rebuiltUntil(
  em: SqlEntityManager,
  rows: CursorRows,
  source: string,
): Promise<bigint | undefined> {
  const found = await em.findOne(rows, { source, slot: untilSlot }, { disableIdentityMap: true });
  return found?.position;
}

/**
 * These slots have been read up to `end`: the broker alone counts for them from now on. Not so when `until` has been put
 * elsewhere meanwhile, as somebody has asked again: resolves with false then.
 */
export async function endRebuild(
  em: SqlEntityManager,
  rows: CursorRows,
  { source, slots, until, end }: RebuildEnd,
): Promise<boolean> {
  const lockMode = LockMode.PESSIMISTIC_WRITE;
  const asked = await em.findOne(rows, { source, slot: untilSlot }, { lockMode, disableIdentityMap: true });
  if (asked?.position !== until) return false;
  await em.nativeDelete(rows, { source, slot: { $in: [...slots] }, position: { $gte: end } });
  const left = await em.count(rows, { source, slot: { $lt: untilSlot } });
  if (left === 0) await em.nativeDelete(rows, { source, slot: untilSlot });
  return true;
}

/** Which slots are read, up to where that was asked for, and up to where it was done. */
export interface RebuildEnd {
  readonly source: string;
  readonly slots: readonly number[];
  readonly until: bigint;
  readonly end: bigint;
}

async function begin(em: SqlEntityManager, rows: CursorRows, source: string, until: bigint): Promise<void> {
  const first = allSlots.map((slot) => ({ source, slot, position: 0n }));
  await em.insertMany(rows, [...first, { source, slot: untilSlot, position: until }]);
}

/** Everybody who writes to these tables, or locks a row to do so, waits. SQLite has one writer anyway. */
async function keepOthersOut(em: SqlEntityManager, tables: readonly { readonly tableName: string }[]): Promise<void> {
  if (em.getPlatform() instanceof SqlitePlatform) return;
  const names = tables.map(({ tableName }) => `"${tableName}"`);
  await em.execute(`lock table ${names.join(", ")} in exclusive mode`);
}
