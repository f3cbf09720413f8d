import type { SqlEntityManager } from "@mikro-orm/sql";
import type { ParkedEvents } from "./inbox-entity.ts";

const maxHeads = 100;

/** The first event that waits of a subject. */
export interface ParkedHead {
  readonly seq: bigint;
  /** Wall time. */
  readonly nextAt: number;
}

/** The events that may be tried when their time has come, earliest first: those with no other of their subject before them. */
export async function parkedHeads(em: SqlEntityManager, rows: ParkedEvents): Promise<ParkedHead[]> {
  const { tableName } = em.getMetadata().get(rows);
  const found = await em
    .createQueryBuilder(rows, "p")
    .select(["seq", "nextAt"])
    .where({ state: "waiting" })
    .andWhere(
      `not exists (select 1 from "${tableName}" q where q.source = p.source and q.subject = p.subject
        and q.state = 'waiting' and q.seq < p.seq)`,
    )
    .orderBy({ nextAt: "asc" })
    .limit(maxHeads)
    .getResult();
  return found.map(({ seq, nextAt }) => ({ seq, nextAt: nextAt?.getTime() ?? 0 }));
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
