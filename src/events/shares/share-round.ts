import type { SqlEntityManager } from "@mikro-orm/sql";
import { query, textsParameter, textsTable, wallOf } from "../../store/query.ts";
import { fairShare } from "./fair-share.ts";
import type { WorkLeases } from "./lease-entity.ts";
import type { LeaseRow, LeaseWatch } from "./lease-watch.ts";

/** One look at the leases of one kind of work. */
export interface RoundOptions {
  readonly rows: WorkLeases;
  /** What the slots are slots of: "relay", or the source that is followed. */
  readonly work: string;
  readonly slots: readonly number[];
  readonly holder: string;
  readonly watch: LeaseWatch;
  /** Until when what is ours will be ours: written, so that people can read it, and new in each round. */
  readonly until: Date;
}

/** What a round found. */
export interface RoundResult {
  /** Slots that are ours now. */
  readonly held: readonly number[];
  /** Slots of these that somebody else should have: to be given back with `release` once nothing is done for them any more. */
  readonly surplus: readonly number[];
}

/**
 * Renews what is ours, takes what is nobody's up to a fair share, and tells what is too much, in the transaction of `em`.
 * Each row is changed only as it was read, so of two that want the same slot one gets it.
 */
export async function shareRound(em: SqlEntityManager, options: RoundOptions): Promise<RoundResult> {
  const { rows, work, slots, holder, watch, until } = options;
  const mine = ownRow(options);
  await ensureRows(em, options, [mine]);
  const names = [mine, ...slots.map(workOf(work))];
  const renew = `update "${rows.tableName}" set until = ? where holder = ? and work in (select value from ${textsTable(em)})`;
  await query(em, renew, [until, holder, textsParameter(names)]);
  const all = await readRows(em, options);
  watch.see(all);
  const replicas = all.filter((row) => row.work.startsWith(replicaPrefix(work)));
  const dead = replicas.filter((row) => watch.lapsed(row));
  for (const { work: name, holder: whose } of dead) await em.nativeDelete(rows, { work: name, holder: whose });
  const holders = new Set(replicas.filter((row) => !dead.includes(row)).map((row) => row.holder));
  const share = fairShare({ slots, holders, holder });
  const held = slots.filter((slot) => all.some((row) => row.work === workOf(work)(slot) && row.holder === holder));
  if (held.length >= share) return { held, surplus: held.slice(share) };
  return { held: [...held, ...(await take(em, options, all, share - held.length))], surplus: [] };
}

/** Gives slots back, in the transaction of `em`; with `leaving`, the holder does not count as one any more. */
export async function release(
  em: SqlEntityManager,
  options: Pick<RoundOptions, "rows" | "work" | "holder">,
  { slots, leaving = false }: { readonly slots: readonly number[]; readonly leaving?: boolean },
): Promise<void> {
  const { rows, work, holder } = options;
  await em.nativeUpdate(rows, { work: { $in: slots.map(workOf(work)) }, holder }, { holder: "" });
  if (leaving) await em.nativeDelete(rows, { work: ownRow(options), holder });
}

async function take(
  em: SqlEntityManager,
  options: RoundOptions,
  all: readonly LeaseRow[],
  count: number,
): Promise<readonly number[]> {
  const { rows, work, slots, holder, watch, until } = options;
  const taken: number[] = [];
  for (const slot of slots) {
    if (taken.length === count) break;
    const row = all.find(({ work: name }) => name === workOf(work)(slot));
    if (row === undefined || !watch.lapsed(row)) continue;
    const asRead = { work: row.work, holder: row.holder, until: row.until };
    if ((await em.nativeUpdate(rows, asRead, { holder, until })) === 1) taken.push(slot);
  }
  return taken;
}

/** All rows of this work, those of its replicas included; those of slots are made when they are missing. */
async function readRows(em: SqlEntityManager, options: RoundOptions): Promise<readonly LeaseRow[]> {
  const { rows, work, slots } = options;
  const names = slots.map(workOf(work));
  const read = () => selectRows(em, rows, { names, prefix: replicaPrefix(work) });
  const found = await read();
  const missing = names.filter((name) => !found.some((row) => row.work === name));
  if (missing.length === 0) return found;
  await ensureRows(em, { ...options, holder: "" }, missing);
  return read();
}

/** Statements whose text is always the same, as each replica looks at its leases all the time, also when nothing happens. */
async function selectRows(
  em: SqlEntityManager,
  rows: WorkLeases,
  { names, prefix }: { readonly names: readonly string[]; readonly prefix: string },
): Promise<readonly LeaseRow[]> {
  const among = `work in (select value from ${textsTable(em)})`;
  const sql = `select work, holder, until from "${rows.tableName}" where ${among} or work like ? order by work`;
  const found = await query<RawLease>(em, sql, [textsParameter(names), `${prefix}%`]);
  return found.rows.map(({ work, holder, until }) => ({ work, holder, until: new Date(wallOf(until)) }));
}

interface RawLease {
  readonly work: string;
  readonly holder: string;
  readonly until: number | string | Date;
}

async function ensureRows(
  em: SqlEntityManager,
  { rows, holder, until }: Pick<RoundOptions, "rows" | "holder" | "until">,
  names: readonly string[],
): Promise<void> {
  const made = `select value, ?, cast(? as timestamptz) from ${textsTable(em)} where true`;
  const sql = `insert into "${rows.tableName}" (work, holder, until) ${made} on conflict (work) do nothing`;
  await query(em, sql, [holder, until, textsParameter(names)]);
}

const workOf = (work: string) => (slot: number) => `${work}/${slot}`;
const replicaPrefix = (work: string) => `replica/${work}/`;
const ownRow = ({ work, holder }: Pick<RoundOptions, "work" | "holder">) => `${replicaPrefix(work)}${holder}`;
