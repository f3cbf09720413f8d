import { type SqlEntityManager, SqlitePlatform } from "@mikro-orm/sql";
import { query, wallOf } from "../../store/query.ts";
import type { EventRows } from "./event-entity.ts";
import { tableOf } from "./event-table.ts";

/** The advisory locks of PostgreSQL under which positions are given; the second half is the table's. */
const lockClass = 7222;

/** An event that has got its position. */
export interface Positioned {
  readonly position: bigint;
  readonly type: string;
  /** When it was committed, by the calendar. */
  readonly timeAt: number;
}

interface PositionedRow {
  readonly position: number | string;
  readonly type: string;
  readonly time: number | string | Date;
}

/**
 * Gives the next positions, in the order of `seq`, to events that have none: to the first `limit` of all, or to those named.
 *
 * One at a time does this, under a lock that ends with the transaction of `em`, and what it sees is committed: so positions have
 * no gaps, and none ever appears before one that was there. An event whose transaction is still open gets a later one,
 * whatever its `seq`.
 */
export async function givePositions(
  em: SqlEntityManager,
  rows: EventRows,
  which: { readonly limit: number } | { readonly seqs: readonly (number | string)[] },
): Promise<readonly Positioned[]> {
  await lockLog(em, rows);
  const table = tableOf(rows);
  const chosen =
    "limit" in which
      ? `where position is null order by position, seq limit ${which.limit}`
      : `where seq in (${which.seqs.join(", ")}) and position is null`;
  const given = `select seq, (select coalesce(max(position), 0) from ${table}) + row_number() over (order by seq) as given
    from (select seq from ${table} ${chosen}) as waiting`;
  const sql = `update ${table} set position = numbered.given from (${given}) as numbered
    where ${table}.seq = numbered.seq returning ${table}.position, ${table}.type, ${table}.time`;
  const answer = await query<PositionedRow>(em, sql);
  return answer.rows
    .map(({ position, type, time }) => ({ position: BigInt(position), type, timeAt: wallOf(time) }))
    .sort((a, b) => Number(a.position - b.position));
}

/** SQLite has one writer anyway. */
async function lockLog(em: SqlEntityManager, rows: EventRows): Promise<void> {
  if (em.getPlatform() instanceof SqlitePlatform) return;
  await query(em, `select pg_advisory_xact_lock(${lockClass}, hashtext(?))`, [rows.tableName]);
}
