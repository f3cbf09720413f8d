import type { SqlEntityManager } from "@mikro-orm/sql";
import { query } from "../../store/query.ts";
import type { ServiceEventRows } from "../rows.ts";
import { allSlots } from "../slots.ts";
import { tableOf } from "./event-table.ts";

/**
 * Has all events from a position to the end of the log sent to the broker once more, in the transaction of `em`; answers with
 * how many. Asking twice sends them once, from the earlier position; consumers that have seen them take no notice.
 */
export async function requestResend(
  em: SqlEntityManager,
  { events, resends }: Pick<ServiceEventRows, "events" | "resends">,
  fromPosition: bigint,
): Promise<bigint> {
  const head = await query<{ readonly end: number | string | null }>(
    em,
    `select max(position) as "end" from ${tableOf(events)}`,
  );
  const end = BigInt(head.rows[0]?.end ?? 0);
  if (end < fromPosition) return 0n;
  const table = `"${resends.tableName}"`;
  const earlier = `case when excluded.next < ${table}.next then excluded.next else ${table}.next end`;
  const sql = `insert into ${table} (slot, next, last) values ${allSlots.map(() => "(?, ?, ?)").join(", ")}
    on conflict (slot) do update set next = ${earlier}, last = excluded.last`;
  await query(
    em,
    sql,
    allSlots.flatMap((slot) => [slot, fromPosition, end]),
  );
  return end - fromPosition + 1n;
}
