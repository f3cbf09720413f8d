import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { type Clock, systemClock } from "../../base/clock.ts";
import { type Random, systemRandom } from "../../base/random.ts";
import { createUuids } from "../../base/uuids.ts";
import { currentCall } from "../../call/context.ts";
import { errorWithInfo, resourceExhausted } from "../../call/errors.ts";
import { afterCommit } from "../../store/after-commit.ts";
import { beforeCommit } from "../../store/before-commit.ts";
import { eventPolicy } from "../event-policy.ts";
import type { Publish } from "../handler.ts";
import type { EventHooks } from "../hooks.ts";
import { slotOf } from "../slots.ts";
import type { EventRows } from "./event-entity.ts";
import { insertEvents, type NewEvent } from "./event-table.ts";

const domain = "heddle";
const maxDataBytes = 1024 * 1024;
const maxSubjectLength = 200;
const traceparentLength = 55;
const retryAfterMs = 1_000;

/** What an outbox is made of. */
export interface OutboxOptions {
  /** The service that publishes: "order". */
  readonly source: string;
  readonly rows: EventRows;
  /** Above so many events that are not published yet, changes that would publish are refused. Default 1,000,000. */
  readonly maxBacklog?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly hooks?: EventHooks;
}

/** Where a service writes the events that it publishes, each in the transaction of the change that it tells of. */
export interface Outbox {
  readonly source: string;
  readonly maxBacklog: number;
  /** Writes an event; see `Publish`. Refuses with RESOURCE_EXHAUSTED while too many are not published yet. */
  readonly append: Publish;
  /** Events committed and not yet published, as far as this replica knows: counted now and then, and kept up in between. */
  readonly backlog: number;
  /** Tells what was counted. */
  counted(backlog: number): void;
  /** Tells that so many events were published. */
  published(events: number): void;
  /** Calls `listener` after each commit of this process that has published, until the function returned is called. */
  onCommit(listener: () => void): () => void;
}

/** Creates the outbox of a service. It does nothing by itself: a relay publishes what was appended. */
export function createOutbox(options: OutboxOptions): Outbox {
  return new ServiceOutbox(options);
}

class ServiceOutbox implements Outbox {
  readonly source: string;
  readonly maxBacklog: number;
  readonly #rows: EventRows;
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #hooks: EventHooks;
  readonly #listeners = new Set<() => void>();
  /** The events of transactions that have not committed yet. */
  readonly #unwritten = new WeakMap<object, NewEvent[]>();
  #backlog = 0;

  constructor(options: OutboxOptions) {
    const { source, rows, maxBacklog = 1_000_000, clock = systemClock, random = systemRandom, hooks = {} } = options;
    this.source = source;
    this.maxBacklog = maxBacklog;
    this.#rows = rows;
    this.#clock = clock;
    this.#newId = createUuids(clock, random);
    this.#hooks = hooks;
  }

  get backlog(): number {
    return this.#backlog;
  }

  counted(backlog: number): void {
    this.#backlog = Math.max(0, backlog);
    this.#hooks.backlog?.(this.#backlog);
  }

  published(events: number): void {
    this.counted(this.#backlog - events);
  }

  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readonly append: Publish = async (em, schema, message) => {
    if (this.#backlog >= this.maxBacklog) throw this.#full();
    const { type, version, subjectOf } = eventPolicy(schema);
    const payload = create(schema, message);
    const subject = subjectOf(payload);
    assertSubject(subject, schema);
    const timeAt = this.#clock.wall();
    const event = { type, version, subject, slot: slotOf(subject), dataSchema: schema.typeName, timeAt };
    const data = dataOf(schema, payload);
    this.#write(em, { ...event, id: this.#newId(), traceParent: traceParent(), data });
  };

  /**
   * All events of a transaction are written together before it commits: a round trip to the database for each would keep
   * those waiting who take in hundreds at once. The rows that they tell of are locked until then, so their order stays.
   */
  #write(em: SqlEntityManager, event: NewEvent): void {
    const transaction = em.getTransactionContext<object>();
    const unwritten = transaction && this.#unwritten.get(transaction);
    if (unwritten !== undefined) return void unwritten.push(event);
    const events = [event];
    beforeCommit(em, () => insertEvents(em, this.#rows, events));
    afterCommit(em, () => this.#committed(events.length));
    if (transaction !== undefined) this.#unwritten.set(transaction, events);
  }

  #committed(events: number): void {
    this.#backlog += events;
    for (const listener of this.#listeners) listener();
  }

  #full(): ConnectError {
    const { source, maxBacklog } = this;
    const message = `${this.#backlog} events of ${source} wait to be published, and ${maxBacklog} may: see that the broker can be reached; EVENT_BACKLOG says how many may`;
    const metadata = { source, backlog: String(this.#backlog), max_backlog: String(maxBacklog) };
    return resourceExhausted(message, { reason: "OUTBOX_FULL", domain, metadata, retryAfterMs });
  }
}

function traceParent(): string {
  const traceparent = currentCall()?.traceparent ?? "";
  return traceparent.length === traceparentLength ? traceparent : "";
}

/** Text with U+0000 would be the end of it to one database and not to the other. */
function assertSubject(subject: string, { typeName }: DescMessage): void {
  const wrong =
    subject === ""
      ? "is empty"
      : subject.length > maxSubjectLength
        ? `is longer than ${maxSubjectLength} characters`
        : subject.includes("\0") && "has U+0000 in it";
  if (wrong)
    throw refused(
      "EVENT_SUBJECT_INVALID",
      `the event ${typeName} cannot be published: its subject, the field named by key, ${wrong}`,
    );
}

function dataOf<Desc extends DescMessage>(schema: Desc, payload: MessageShape<Desc>): Uint8Array {
  const data = toBinary(schema, payload);
  if (data.length <= maxDataBytes) return data;
  const size = `its payload has ${data.length} bytes, and ${maxDataBytes} is the most`;
  throw refused("EVENT_TOO_LARGE", `the event ${schema.typeName} cannot be published: ${size}`);
}

function refused(reason: string, message: string): ConnectError {
  return errorWithInfo(Code.InvalidArgument, message, { reason, domain });
}
