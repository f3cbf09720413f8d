import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { type SqlEntityManager, SqlitePlatform } from "@mikro-orm/sql";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import { messageOf } from "../../base/message-of.ts";
import type { Batch } from "../delivery.ts";
import { fitting } from "../event-key.ts";
import { isNotNow } from "../not-now.ts";
import { slotOf } from "../slots.ts";
import { Breather } from "./breather.ts";
import { ChunkSize } from "./chunk-size.ts";
import { isCursorMoved } from "./cursors.ts";
import { handleEvents } from "./handle-event.ts";
import type { InboxParts } from "./inbox-parts.ts";
import { Pace } from "./pace.ts";
import { park, waitingSubjects } from "./parked.ts";
import { waitAfter } from "./retry-limits.ts";
import { noteUnseen } from "./seen-events.ts";

/**
 * How long one transaction is to be, in milliseconds, where calls wait for it: while events give way to them, and always with
 * SQLite, of which all is done in this thread. On a server most of it is waiting; who wants the same rows waits with it.
 */
const targetMs = { givingWay: 1.5, sqlite: 1.5, server: 50 };
/** So often a source's events may fail for the database's sake before one that does so by itself is looked for. */
const patience = 20;
const behind = "an earlier event of the same subject waits";

/**
 * Transactions at once where the database is a server: each spends most of its time waiting for that. They take no more than
 * half of the connections that a process has unless it is told otherwise; SQLite has one writer.
 */
const lanesOfServer = 2;
/** So few events are not worth more than one transaction. */
const leastOfLane = 32;

/** Some events of a source, that are taken in one transaction after the other. */
type Lane = Batch & { readonly givesWay: boolean };

/**
 * Takes events in: what their handlers change is written together with the note that they were seen, so a second delivery
 * changes nothing. An event that cannot be handled is parked, those of its subject behind it, and the others go on.
 */
export class Inbox {
  readonly #parts: InboxParts;
  readonly #onParked: () => void;
  readonly #lanes: number;
  readonly #size: ChunkSize;
  readonly #sizeGivingWay = new ChunkSize(targetMs.givingWay);
  /** How often in a row, by source, nothing could be taken in for the database's sake. */
  readonly #failures = new Map<string, number>();
  /** By source. */
  readonly #paces = new Map<string, Pace>();

  constructor(parts: InboxParts, onParked: () => void) {
    this.#parts = parts;
    this.#lanes = parts.store.orm.em.getPlatform() instanceof SqlitePlatform ? 1 : lanesOfServer;
    this.#size = new ChunkSize(this.#lanes > 1 ? targetMs.server : targetMs.sqlite);
    this.#onParked = onParked;
  }

  /** See `TakeIn`. Events of types that mean nothing here are let go. */
  readonly takeIn = async ({ source, events, settle }: Batch): Promise<void> => {
    const known = events.filter(({ type }) => this.#parts.known.of(source, type) !== undefined);
    const givesWay = known[0] !== undefined && this.#givesWay(source, known.length, known[0]);
    const lanes = lanesOf(known, this.#lanes);
    if (lanes.length < 2) return this.#takeLane({ source, events: known, givesWay, ...(settle && { settle }) });
    const taken = await Promise.allSettled(lanes.map((own) => this.#takeLane({ source, events: own, givesWay })));
    for (const lane of taken) if (lane.status === "rejected") throw lane.reason;
    if (settle !== undefined) await this.#parts.store.unit(settle);
  };

  #givesWay(source: string, together: number, first: Event): boolean {
    return this.#paceOf(source).givesWay(together, delayMs(first, this.#parts.clock.wall()));
  }

  #paceOf(source: string): Pace {
    const pace = this.#paces.get(source) ?? new Pace(this.#parts.clock);
    this.#paces.set(source, pace);
    return pace;
  }

  /** Takes in events one chunk after the other. */
  async #takeLane({ source, events, givesWay, settle }: Lane): Promise<void> {
    const size = givesWay ? this.#sizeGivingWay : this.#size;
    const pace = this.#paceOf(source);
    for (let from = 0; from < events.length || from === 0; ) {
      if (givesWay) await pace.rest();
      const chunk = events.slice(from, from + size.value);
      from += Math.max(1, chunk.length);
      const isLast = from >= events.length;
      const tookMs = await this.#takeChunk({ source, events: chunk, ...(isLast && settle && { settle }) }, size);
      if (!isLast) await new Promise((resolve) => setImmediate(resolve)); // calls come first
      pace.took(tookMs);
    }
  }

  /** Resolves with how long it took, in milliseconds. */
  async #takeChunk(chunk: Batch, size: ChunkSize): Promise<number> {
    if (chunk.events.length === 0 && chunk.settle === undefined) return 0;
    const startedAt = this.#parts.clock.now();
    try {
      await this.#takeTogether(chunk);
      size.learn(chunk.events.length, this.#parts.clock.now() - startedAt);
    } catch (reason) {
      const isStuck = isNotNow(reason) && (await this.#isStuck(chunk, reason));
      if (isNotNow(reason) && !isStuck) throw reason;
      await this.#takeOneByOne(chunk, isStuck);
    }
    return this.#parts.clock.now() - startedAt;
  }

  /**
   * Whether it may be an event's own doing that the database is busy: a statement that never ends in time, for one. It
   * has failed again and again by now, and the database answers others.
   */
  async #isStuck({ source }: Batch, reason: unknown): Promise<boolean> {
    const failures = (this.#failures.get(source) ?? 0) + 1;
    this.#failures.set(source, failures);
    if (failures < patience || isCursorMoved(reason) || ConnectError.from(reason).code === Code.ResourceExhausted) {
      return false;
    }
    return this.#parts.store.ping().then(
      () => true,
      () => false,
    );
  }

  async #takeTogether({ source, events, settle }: Batch): Promise<void> {
    const now = this.#parts.clock.wall();
    const done = await this.#parts.store.unit(async (em) => {
      await settle?.(em); // first: somebody else who brings the same waits here, and takes nothing in
      return this.#handleUnseen(em, source, { events, now });
    });
    if (done.taken.length + done.behind.length > 0) this.#failures.delete(source);
    this.#tellTaken(source, done.taken);
    for (const event of done.behind) this.#tellParked(source, event, behind);
  }

  async #handleUnseen(
    em: SqlEntityManager,
    source: string,
    { events, now }: { events: readonly Event[]; now: number },
  ) {
    const { rows, known } = this.#parts;
    const [unseen, waiting] = await Promise.all([
      noteUnseen(em, rows.inbox, { events, source, now }),
      waitingSubjects(em, rows.parked, source, events),
    ]);
    const isBehind = ({ subject }: Event) => waiting.size > 0 && waiting.has(fitting(subject));
    const later = unseen.filter(isBehind);
    await park(em, rows.parked, later, { source, now, nextAt: now, attempts: 0, reason: behind });
    const taken = unseen.filter((event) => !isBehind(event));
    const handled = taken.flatMap((event) => {
      const what = known.of(source, event.type);
      return what === undefined ? [] : [{ event, known: what }];
    });
    const breather = new Breather(this.#parts.clock);
    await handleEvents(em, handled, { now, breather, isServer: this.#lanes > 1 });
    return { taken, behind: later };
  }

  /** Finds the event that fails, and parks it: where the source is stuck, also one that fails for the database's sake. */
  async #takeOneByOne({ source, events, settle }: Batch, isStuck: boolean): Promise<void> {
    for (const event of events) {
      try {
        await this.#takeTogether({ source, events: [event] });
      } catch (reason) {
        if (isNotNow(reason) && !isStuck) throw reason;
        await this.#park(source, event, messageOf(reason));
      }
    }
    if (settle !== undefined) await this.#parts.store.unit(settle);
  }

  async #park(source: string, event: Event, reason: string): Promise<void> {
    const { store, rows, limits, clock } = this.#parts;
    const now = clock.wall();
    const nextAt = now + (waitAfter(1, limits) ?? 0);
    const isNew = await store.unit(async (em) => {
      const unseen = await noteUnseen(em, rows.inbox, { events: [event], source, now });
      await park(em, rows.parked, unseen, { source, now, nextAt, attempts: 1, reason });
      return unseen.length > 0;
    });
    if (isNew) this.#tellParked(source, event, reason);
  }

  #tellTaken(source: string, events: readonly Event[]): void {
    const { hooks, clock } = this.#parts;
    if (hooks.takenIn === undefined) return;
    const now = clock.wall();
    for (const event of events) hooks.takenIn({ source, type: event.type, delayMs: delayMs(event, now) });
  }

  #tellParked(source: string, event: Event, reason: string): void {
    const { id, type, subject } = event;
    this.#parts.log.warn("an event waits for another try", { event: id, source, type, subject, reason });
    this.#onParked();
  }
}

/** How long after its commit an event took effect. The clocks of two machines may differ: never less than nothing. */
function delayMs({ time }: Event, now: number): number {
  return time === undefined ? 0 : Math.max(0, now - timestampMs(time));
}

/** The events shared out among so many lanes at most: those of one subject are in one lane, in their order. */
function lanesOf(events: readonly Event[], most: number): readonly (readonly Event[])[] {
  if (most === 1 || events.length < 2 * leastOfLane) return [events];
  const lanes = Array.from({ length: most }, (): Event[] => []);
  for (const event of events) lanes[slotOf(event.subject) % most]?.push(event); // a broker tells no slot
  return lanes.filter((lane) => lane.length > 0);
}
