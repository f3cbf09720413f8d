import type { SqlEntityManager } from "@mikro-orm/sql";
import { query, wallOf } from "../../store/query.ts";
import type { ParkedEvents } from "./inbox-entity.ts";

const maxHeads = 100;

/** The first event that waits of a subject. */
export interface ParkedHead {
  readonly seq: bigint;
  /** Wall time. */
  readonly nextAt: number;
}

/**
 * The events that may be tried when their time has come, earliest first: those with no other of their subject before
 * them. It is asked twice a second by each replica, also when nothing happens: a statement whose text is always the same.
 */
export async function parkedHeads(em: SqlEntityManager, rows: ParkedEvents): Promise<ParkedHead[]> {
  const table = `"${rows.tableName}"`;
  const before = `select 1 from ${table} q where q.source = p.source and q.subject = p.subject and q.state = 'waiting' and q.seq < p.seq`;
  const waiting = `p.state = 'waiting' and not exists (${before})`;
  const sql = `select p.seq, p.next_at from ${table} p where ${waiting} order by p.next_at asc limit ${maxHeads}`;
  const found = await query<RawHead>(em, sql);
  return found.rows.map(({ seq, next_at }) => ({ seq: BigInt(seq), nextAt: next_at === null ? 0 : wallOf(next_at) }));
}

/** As the databases answer: integers of 64 bits and dates are text from one and numbers from the other. */
interface RawHead {
  readonly seq: number | string;
  readonly next_at: number | string | Date | null;
}

/** Puts the next try off until `until`, for one of those who saw it due. Resolves with whether that is us. */
export async function putOff(
  em: SqlEntityManager,
  rows: ParkedEvents,
  { seq, nextAt }: ParkedHead,
  until: number,
): Promise<boolean> {
  const seen = { seq, state: "waiting" as const, nextAt: new Date(nextAt) };
  return (await em.nativeUpdate(rows, seen, { nextAt: new Date(until) })) === 1;
}
