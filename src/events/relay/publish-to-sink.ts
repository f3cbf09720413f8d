import type { Followed } from "../../base/watch.ts";
import { query } from "../../store/query.ts";
import type { EventSink } from "../delivery.ts";
import { type EventRow, eventOf, selectEvents } from "../outbox/event-table.ts";
import { givePositions } from "../outbox/positions.ts";
import type { EventResends } from "../outbox/resend-entity.ts";
import { slotCount } from "../slots.ts";
import { type PublishOptions, tellPublished } from "./publish-to-log.ts";
import type { PublishSome } from "./relay.ts";

const maxEvents = 500;

/** What publishing to a broker needs. */
export interface PublishToSinkOptions extends PublishOptions {
  readonly sink: EventSink;
  readonly resends: EventResends;
  /** The slots that are this replica's: nobody else sends their events. */
  readonly held: Followed<ReadonlySet<number>>;
}

interface Resend {
  readonly slot: number;
  readonly next: number | string;
  readonly last: number | string;
}

/**
 * Publishes to a broker: events get their position when the broker has said that it keeps them. Should this process die between
 * the two, they are sent again by whoever comes next; consumers know them by their id.
 *
 * A slot of which something has to be sent again sends that first, so that its events stay in order.
 */
export function publishToSink(options: PublishToSinkOptions): PublishSome {
  return async () => {
    const held = [...options.held.value];
    if (held.length === 0) return false;
    const resends = await readResends(options, held);
    for (const resend of resends) await sendAgain(options, resend);
    const behind = new Set(resends.map(({ slot }) => slot));
    const sent = await sendNew(
      options,
      held.filter((slot) => !behind.has(slot)),
    );
    return resends.length > 0 || sent === maxEvents;
  };
}

/** Sends what waits in these slots; answers with how many events there were. */
async function sendNew(options: PublishToSinkOptions, slots: readonly number[]): Promise<number> {
  if (slots.length === 0) return 0;
  const { store, rows, outbox, sink } = options;
  const ours = slots.length === slotCount ? "" : `and slot in (${slots.join(", ")})`;
  const where = `position is null ${ours} order by position, seq limit ${maxEvents}`;
  const waiting = await store.read((em) => selectEvents(em, rows, { where }));
  if (waiting.length === 0) return 0;
  await sink.send(waiting.map((row) => eventOf(row, outbox.source)));
  const seqs = waiting.map(({ seq }) => seq);
  tellPublished(await store.unit((em) => givePositions(em, rows, { seqs })), { ...options, transport: "amqp" });
  return waiting.length;
}

async function readResends(
  { store, resends }: PublishToSinkOptions,
  held: readonly number[],
): Promise<readonly Resend[]> {
  const sql = `select slot, next, last from "${resends.tableName}" where slot in (${held.join(", ")}) order by slot`;
  return (await store.read((em) => query<Resend>(em, sql))).rows;
}

/** Sends some of a slot again, and notes how far it has come; unless it was told meanwhile to begin further back. */
async function sendAgain(options: PublishToSinkOptions, { slot, next, last }: Resend): Promise<void> {
  const { store, rows, outbox, sink, resends } = options;
  const where = `slot = ? and position between ? and ? order by position limit ${maxEvents}`;
  const events: readonly EventRow[] = await store.read((em) =>
    selectEvents(em, rows, { where, parameters: [slot, next, last] }),
  );
  if (events.length > 0) await sink.send(events.map((row) => eventOf(row, outbox.source)));
  const done = events.length < maxEvents;
  const table = `"${resends.tableName}"`;
  const sql = done
    ? `delete from ${table} where slot = ? and next = ?`
    : `update ${table} set next = ? where slot = ? and next = ?`;
  const after = BigInt(events.at(-1)?.position ?? 0) + 1n;
  await store.unit((em) => query(em, sql, done ? [slot, next] : [after, slot, next]));
}
