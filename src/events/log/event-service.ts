import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { Cursor, EventService } from "../../../gen/heddle/event/v1/event_service_pb.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { failedPrecondition, invalidArgument, notFound } from "../../call/errors.ts";
import type { Store } from "../../store/orm.ts";
import { cutPage, readPage } from "../../store/page-token.ts";
import { type Parameter, query, wallOf } from "../../store/query.ts";
import type { EventTransport } from "../hooks.ts";
import { eventOf, selectEvents, tableOf } from "../outbox/event-table.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { requestResend } from "../outbox/resend.ts";
import type { ServiceEventRows } from "../rows.ts";
import type { EventLog } from "./event-log.ts";
import { readHead } from "./log-head.ts";
import { tailLog } from "./tail-log.ts";

/** What the service needs. */
export interface EventServiceOptions {
  readonly store: Store;
  readonly rows: Pick<ServiceEventRows, "events" | "resends">;
  readonly outbox: Outbox;
  readonly log: EventLog;
  readonly transport: EventTransport;
  /** Called when events are to be sent again. */
  readonly wake: () => void;
  readonly clock?: Clock;
}

const withoutPayload = "seq, id, position, slot, type, version, subject, trace_parent, time, data_schema, '' as data";

/** heddle.event.v1.EventService over the log of one service. Requests are already valid by the contract's rules. */
export function eventService(options: EventServiceOptions): ServiceImpl<typeof EventService> {
  const { store, rows, outbox, log, transport, clock = systemClock } = options;
  const { source, maxBacklog } = outbox;
  return {
    async *subscribe({ types, cursors: asked }, { signal }) {
      const cursors = cursorsOf(asked);
      const batches = tailLog({ log, clock, signal, types: new Set(types), cursors });
      for await (const { events, end } of batches) yield { events: [...events], endPosition: end };
      endOf(signal);
    },

    async listEvents(request) {
      const { where, parameters, scope } = whichEvents(request);
      const page = readPage(request, scope);
      const after = page.after === undefined ? "" : "and seq < ?";
      const rest = `${where} ${after} order by seq desc limit ${page.limit + 1}`;
      const select = { where: rest, columns: withoutPayload };
      const seen = page.after === undefined ? parameters : [...parameters, BigInt(page.after)];
      const found = await store.read((em) => selectEvents(em, rows.events, { ...select, parameters: seen }));
      const { rows: shown, nextPageToken } = cutPage(found, page, scope, ({ seq }) => String(seq));
      return { events: shown.map((row) => eventOf({ ...row, data: new Uint8Array() }, source)), nextPageToken };
    },

    async getEvent({ id }) {
      const [row] = await store.read((em) => selectEvents(em, rows.events, { where: "id = ?", parameters: [id] }));
      if (row === undefined) throw notFound("event", id);
      return { event: eventOf(row, source) };
    },

    async getEventLog() {
      const { count, oldestAt } = await readWaiting(store, rows);
      const { end } = await readHead(store, rows.events); // after it: where nothing waited, all that was sent is before the end
      const oldest = oldestAt === undefined ? {} : { oldestWaitingTime: timestampFromMs(oldestAt) };
      return { source, endPosition: end, backlog: BigInt(count), maxBacklog: BigInt(maxBacklog), transport, ...oldest };
    },

    async resendEvents({ fromPosition }) {
      if (transport === "stream") throw noBroker(source);
      const events = await store.unit((em) => requestResend(em, rows, fromPosition));
      options.wake();
      return { events };
    },
  };
}

function cursorsOf(asked: readonly Cursor[]): ReadonlyMap<number, bigint> {
  const cursors = new Map(asked.map(({ slot, after }) => [slot, after]));
  if (cursors.size < asked.length) {
    throw invalidArgument([
      { field: "cursors", description: "names a slot twice; one cursor says how far it was read" },
    ]);
  }
  return cursors;
}

/** A caller that has gone gets no answer; any other end is an error that says why. */
function endOf({ reason }: AbortSignal): void {
  if (reason instanceof ConnectError && reason.code !== Code.Canceled) throw reason;
}

function whichEvents({ type, subject, unpublished }: { type: string; subject: string; unpublished: boolean }) {
  const conditions = [type && "type = ?", subject && "subject = ?", unpublished && "position is null"].filter(Boolean);
  return {
    where: conditions.join(" and ") || "1 = 1",
    parameters: [type, subject].filter((value) => value !== "") as readonly Parameter[],
    scope: `events of type ${type}, of subject ${subject}${unpublished ? ", unpublished" : ""}`,
  };
}

/** How many events wait, and since when the oldest does. */
async function readWaiting(store: Store, rows: Pick<ServiceEventRows, "events">) {
  const table = tableOf(rows.events);
  const oldest = `select time from ${table} where position is null order by position, seq limit 1`;
  const sql = `select (select count(*) from ${table} where position is null) as waiting, (${oldest}) as oldest`;
  type Row = { readonly waiting: number | string; readonly oldest: number | string | null };
  const [row] = (await store.read((em) => query<Row>(em, sql))).rows;
  const oldestAt = row?.oldest == null ? undefined : wallOf(row.oldest);
  return { count: Number(row?.waiting ?? 0), oldestAt };
}

function noBroker(source: string) {
  const message = `${source} has no broker to send events to: those who follow its log move their cursors themselves`;
  return failedPrecondition(message, { reason: "NO_BROKER", domain: "heddle", metadata: { source } });
}
