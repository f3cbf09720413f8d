import { type Clock, systemClock, type Timer } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { Watchable } from "../../base/watch.ts";
import { runDetached } from "../../call/context.ts";
import type { Store } from "../../store/orm.ts";
import { query } from "../../store/query.ts";
import type { EventRows } from "../outbox/event-entity.ts";
import { tableOf } from "../outbox/event-table.ts";
import type { Outbox } from "../outbox/outbox.ts";

/** How often to look for what other replicas have published, while somebody follows the log. */
const followedMs = 50;
/** How often to look when nobody does: for what a replica left behind that died between a commit and its publishing. */
const idleMs = 1_000;
/** How often to count what waits, and how often when it is so much that counting is work. */
const countMs = 1_000;
const countMuchMs = 5_000;
const much = 10_000;

/** What the head of a log is made of. */
export interface LogHeadOptions {
  readonly store: Store;
  readonly rows: EventRows;
  readonly outbox: Outbox;
  readonly clock?: Clock;
  readonly log?: Logger;
}

interface HeadRow {
  readonly end: number | string | null;
  readonly waiting: number | string | null;
}

/**
 * Where the log ends, for all who follow it: told at once by the relay of this process, and looked up for what other
 * replicas publish. However many follow, there is one query for all of them.
 */
export class LogHead implements AsyncDisposable {
  /** The last position; `undefined` until it was looked up. */
  readonly end = new Watchable<bigint | undefined>(undefined);
  /** Called after each look, with whether events wait to be published. */
  onLook: (waiting: boolean) => void = () => {};
  readonly #options: LogHeadOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  #state: { readonly name: "open"; timer: Timer | undefined } | { readonly name: "closed" };
  #looking: Promise<void> | undefined;
  /** How often the end was told: what was looked up meanwhile may be older. */
  #told = 0;
  #countAt = 0;
  #failing = false;

  constructor(options: LogHeadOptions) {
    const { clock = systemClock, log = silentLogger } = options;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#state = { name: "open", timer: undefined };
    this.look();
  }

  /** Says where the log ends now. */
  tell(end: bigint): void {
    this.#told++;
    if (this.end.value !== end) this.end.set(end);
  }

  /** Calls `listener` when the log has moved, and has it looked at often, until the function returned is called. */
  follow(listener: () => void): () => void {
    const leave = this.end.subscribe(listener);
    if (this.end.followers === 1) this.look();
    return leave;
  }

  /** Looks now, unless it is being looked at. */
  look(): void {
    if (this.#state.name === "closed" || this.#looking !== undefined) return;
    this.#state.timer?.cancel();
    this.#looking = runDetached(() => this.#look()).finally(() => {
      this.#looking = undefined;
      if (this.#state.name === "closed") return;
      const ms = this.end.followers > 0 ? followedMs : idleMs;
      this.#state.timer = runDetached(() => this.#clock.setTimer(ms, () => this.look()));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state.name === "open") this.#state.timer?.cancel();
    this.#state = { name: "closed" };
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { store, rows, outbox } = this.#options;
    const told = this.#told;
    try {
      const { end, waiting } = await readHead(store, rows);
      if (told === this.#told) this.tell(end);
      this.onLook(waiting);
      await this.#count(waiting);
      if (this.#failing) this.#log.info("the event log can be read again", { source: outbox.source });
      this.#failing = false;
    } catch (error) {
      const about = { source: outbox.source, error };
      if (!this.#failing) this.#log.warn("the event log cannot be read for the moment", about);
      this.#failing = true;
    }
  }

  /** Counted no further than it matters: above the most that may wait, how far is of no interest. */
  async #count(waiting: boolean): Promise<void> {
    const { store, rows, outbox } = this.#options;
    if (!waiting) return outbox.counted(0);
    if (this.#clock.now() < this.#countAt) return;
    const sql = `select count(*) as waiting from (select 1 from ${tableOf(rows)} where position is null limit ${outbox.maxBacklog + 1}) as few`;
    const answer = await store.read((em) => query<HeadRow>(em, sql));
    const count = Number(answer.rows[0]?.waiting ?? 0);
    outbox.counted(count);
    this.#countAt = this.#clock.now() + (count > much ? countMuchMs : countMs);
  }
}

/** Where the log ends, and whether anything waits to be published. */
export async function readHead(
  store: Store,
  rows: EventRows,
): Promise<{ readonly end: bigint; readonly waiting: boolean }> {
  const table = tableOf(rows);
  const waiting = `select seq from ${table} where position is null order by position, seq limit 1`;
  const sql = `select (select max(position) from ${table}) as "end", (${waiting}) as waiting`;
  const [row] = (await store.read((em) => query<HeadRow>(em, sql))).rows;
  return { end: BigInt(row?.end ?? 0), waiting: row?.waiting != null };
}
