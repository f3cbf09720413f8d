import { Code, ConnectError } from "@connectrpc/connect";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { errorReason, errorWithInfo } from "../../call/errors.ts";
import { query } from "../../store/query.ts";
import type { CursorRows } from "./inbox-entity.ts";

/** How far slots of a source have been read, by slot. */
export type Cursors = ReadonlyMap<number, bigint>;

/** The cursors of these slots as they are written; slots without one are left out. */
export async function readCursors(
  em: SqlEntityManager,
  rows: CursorRows,
  source: string,
  slots: readonly number[],
): Promise<Map<number, bigint>> {
  if (slots.length === 0) return new Map();
  const sql = `select slot, position from "${rows.tableName}" where source = ? and slot in (${slots.join(", ")})`;
  const found = await query<{ readonly slot: number; readonly position: number | string }>(em, sql, [source]);
  return new Map(found.rows.map(({ slot, position }) => [slot, BigInt(position)]));
}

/**
 * Moves cursors on to `to`, those that are not there yet; ABORTED with reason CURSOR_MOVED when one is not where `from`
 * says: another replica has read on, or the subscription is being rebuilt. Then nothing is to be written.
 */
export async function moveCursors(
  em: SqlEntityManager,
  rows: CursorRows,
  { source, from, to }: { readonly source: string; readonly from: Cursors; readonly to: bigint },
): Promise<void> {
  const behind = [...from].filter(([, position]) => position < to);
  for (const [position, slots] of Map.groupBy(behind, ([, at]) => at)) {
    const moved = slots.map(([slot]) => slot).sort((a, b) => a - b);
    const isNew = position === 0n;
    const count = isNew ? await begin(em, rows, { source, slots: moved, to }) : 0;
    if (count === moved.length) continue;
    const table = `"${rows.tableName}"`;
    const sql = `update ${table} set position = ? where source = ? and position = ? and slot in (${moved.join(", ")})`;
    const { affected } = await query(em, sql, [to, source, position]);
    if (count + affected !== moved.length) throw movedMeanwhile(source);
  }
}

/** Puts cursors somewhere, wherever they were. */
export async function putCursors(
  em: SqlEntityManager,
  rows: CursorRows,
  {
    source,
    slots,
    position,
  }: { readonly source: string; readonly slots: readonly number[]; readonly position: bigint },
): Promise<void> {
  await em.nativeDelete(rows, { source, slot: { $in: [...slots] } });
  if (position > 0n)
    await em.insertMany(
      rows,
      slots.map((slot) => ({ source, slot, position })),
    );
}

async function begin(
  em: SqlEntityManager,
  rows: CursorRows,
  { source, slots, to }: { readonly source: string; readonly slots: readonly number[]; readonly to: bigint },
): Promise<number> {
  const first = slots.map((slot) => ({ source, slot, position: to }));
  const { affectedRows } = await em
    .createQueryBuilder(rows)
    .insert(first)
    .onConflict(["source", "slot"])
    .ignore()
    .execute("run");
  return affectedRows;
}

/** The position up to which all have been read. */
export function lowest(positions: Iterable<bigint>): bigint {
  const [first = 0n] = [...positions].sort((a, b) => Number(a - b));
  return first;
}

/** Whether a batch was refused because its cursor is elsewhere by now. */
export function isCursorMoved(reason: unknown): boolean {
  return reason instanceof ConnectError && errorReason(reason)?.reason === "CURSOR_MOVED";
}

/** The error of a cursor that is not where it was left. */
export function movedMeanwhile(source: string): ConnectError {
  const message = `a cursor of ${source} was moved meanwhile`;
  return errorWithInfo(Code.Aborted, message, { reason: "CURSOR_MOVED", domain: "heddle" });
}
