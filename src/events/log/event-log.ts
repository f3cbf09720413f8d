import { Code, type ConnectError } from "@connectrpc/connect";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import { errorWithInfo } from "../../call/errors.ts";
import type { Store } from "../../store/orm.ts";
import { query } from "../../store/query.ts";
import type { EventRows } from "../outbox/event-entity.ts";
import { eventOf, selectEvents, tableOf } from "../outbox/event-table.ts";
import { type LogHead, readHead } from "./log-head.ts";
import { RecentEvents } from "./recent-events.ts";

/** Events that one query reads. */
const pageEvents = 500;
/** Positions that one query looks at, whatever it takes of them: so each is short, also for who wants one type in a thousand. */
const windowPositions = 5_000n;

/** What a log is made of. */
export interface EventLogOptions {
  readonly source: string;
  readonly store: Store;
  readonly rows: EventRows;
  readonly head: LogHead;
}

/** Which events somebody wants. */
export interface Wanted {
  /** Empty: all. */
  readonly types: ReadonlySet<string>;
  /** Of each slot wanted, the position after which. */
  readonly cursors: ReadonlyMap<number, bigint>;
}

/** What a look at the log gave: all that is wanted up to a position. */
export interface LogPage {
  readonly events: readonly Event[];
  /** How far it has been looked: the next page begins after it. */
  readonly upTo: bigint;
}

/** The published events of a service, in the order of their positions. */
export class EventLog {
  readonly head: LogHead;
  readonly #options: EventLogOptions;
  readonly #recent: RecentEvents;

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.head = options.head;
    this.#recent = new RecentEvents((position) =>
      this.#select(`position > ? order by position limit ${pageEvents}`, [position]),
    );
  }

  /** The position of the last event, looked up now. OUT_OF_RANGE when a cursor does not lie in this log. */
  async check({ cursors }: Pick<Wanted, "cursors">): Promise<bigint> {
    const { store, rows } = this.#options;
    const sql = `select min(position) as first from ${tableOf(rows)} where position is not null`;
    const [{ end }, oldest] = await Promise.all([
      readHead(store, rows),
      store.read((em) => query<{ readonly first: number | string | null }>(em, sql)),
    ]);
    const first = BigInt(oldest.rows[0]?.first ?? 1);
    for (const [slot, after] of cursors) {
      if (after > end) throw this.#beyondEnd(after, end, slot);
      if (after < first - 1n) throw this.#beforeBeginning(after, first, slot);
    }
    return end;
  }

  /** What is wanted of the events after a position, up to the end of the log, or of some of them if there are many. */
  async page(after: bigint, end: bigint, wanted: Wanted): Promise<LogPage> {
    if (end - after <= BigInt(pageEvents)) {
      const recent = await this.#recent.after(after, end);
      const last = recent?.at(-1);
      if (recent && last) return { events: recent.filter((event) => wants(wanted, event)), upTo: last.position };
    }
    const upTo = after + windowPositions < end ? after + windowPositions : end;
    const found = await this.#select(...wherePage(after, upTo, wanted));
    const last = found.length === pageEvents ? (found.at(-1)?.position ?? upTo) : upTo;
    return { events: found.filter((event) => wants(wanted, event)), upTo: last };
  }

  #beyondEnd(after: bigint, end: bigint, slot: number): ConnectError {
    const { source } = this.#options;
    const message = `the log of ${source} ends at ${end}, before the cursor ${after}: it was restored to an older state; read it again from its end, or from 0`;
    const metadata = { source, after: String(after), end_position: String(end), slot: String(slot) };
    return errorWithInfo(Code.OutOfRange, message, { reason: "CURSOR_BEYOND_END", domain: "heddle", metadata });
  }

  #beforeBeginning(after: bigint, first: bigint, slot: number): ConnectError {
    const { source } = this.#options;
    const message = `the log of ${source} begins at ${first}, and the cursor ${after} lies before it: what came in between is gone`;
    const metadata = { source, after: String(after), first_position: String(first), slot: String(slot) };
    return errorWithInfo(Code.OutOfRange, message, { reason: "CURSOR_BEFORE_BEGINNING", domain: "heddle", metadata });
  }

  async #select(where: string, parameters: readonly (bigint | string)[]): Promise<readonly Event[]> {
    const { store, rows, source } = this.#options;
    const found = await store.read((em) => selectEvents(em, rows, { where, parameters }));
    return found.map((row) => eventOf(row, source));
  }
}

function wherePage(after: bigint, upTo: bigint, { types, cursors }: Wanted): [string, readonly (bigint | string)[]] {
  const ofTypes = types.size === 0 ? "" : `and type in (${[...types].map(() => "?").join(", ")})`;
  const ofSlots = `and slot in (${[...cursors.keys()].join(", ")})`;
  const where = `position > ? and position <= ? ${ofTypes} ${ofSlots} order by position limit ${pageEvents}`;
  return [where, [after, upTo, ...types]];
}

function wants({ types, cursors }: Wanted, { type, slot, position }: Event): boolean {
  const after = cursors.get(slot);
  return after !== undefined && position > after && (types.size === 0 || types.has(type));
}
