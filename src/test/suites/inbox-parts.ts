import { randomUUID } from "node:crypto";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { type Event, EventSchema } from "../../../gen/heddle/event/v1/event_pb.ts";
import {
  OrderCancelledSchema,
  OrderConfirmedSchema,
  OrderCreatedSchema,
} from "../../../gen/shop/order/v1/events_pb.ts";
import { jsonLogger, type Logger } from "../../base/log.ts";
import { type EventHandler, type HandlerOptions, on } from "../../events/handler.ts";
import { type InboxOptions, type OpenInbox, openInbox } from "../../events/inbox/open-inbox.ts";
import { slotOf } from "../../events/slots.ts";
import { User, userEventRows, userRows } from "../../services/user/user-entity.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { openStore, type Store } from "../../store/orm.ts";
import { eventually } from "../../testing/eventually.ts";
import { type FakeClock, fakeClock } from "../../testing/fake-clock.ts";
import { openDatabase, type TestDatabase } from "../../testing/open-database.ts";

const kinds = { created: OrderCreatedSchema, confirmed: OrderConfirmedSchema, cancelled: OrderCancelledSchema };

/** What happens to an order. */
export type Kind = keyof typeof kinds;

/** An event of the order service about the order `subject`. */
export function orderEvent(kind: Kind, subject: string, more: MessageInitShape<typeof EventSchema> = {}): Event {
  const schema = kinds[kind];
  return create(EventSchema, {
    id: randomUUID(),
    source: "order",
    type: schema.typeName,
    subject,
    time: timestampFromMs(0),
    dataSchema: schema.typeName,
    version: 1,
    data: toBinary(schema, create(schema, { order: { id: subject } })),
    slot: slotOf(subject),
    ...more,
  });
}

/** Writes down that something happened, in the transaction: a row for each time. */
export async function writeDown(em: SqlEntityManager, what: string): Promise<void> {
  const email = randomUUID();
  const at = new Date(0);
  em.create(User, { name: what, email, emailKey: email, createdAt: at, updatedAt: at });
  await em.flush();
}

/** All that was written down, oldest first. */
export async function written(store: Store): Promise<string[]> {
  const rows = await store.read((em) => em.find(User, {}, { orderBy: { id: "asc" } }));
  return rows.map(({ name }) => name);
}

/** What a handler may do besides writing down; it may throw. */
export type Trouble = (what: string, em: SqlEntityManager) => Promise<void> | void;

/** Handlers that write down "created a", and then have the trouble given. */
export function writers(trouble: Trouble = () => {}, options: HandlerOptions = {}): EventHandler[] {
  return (Object.keys(kinds) as Kind[]).map((kind) =>
    on(
      kinds[kind],
      async ({ order }, { em }) => {
        const what = `${kind} ${order?.id}`;
        await writeDown(em, what);
        await trouble(what, em);
      },
      options,
    ),
  );
}

/** A replica that takes in what the order service tells. */
export interface Reader extends OpenInbox {
  readonly store: Store;
  /** Ends it as a crash does: nothing under way is waited for that is not in a transaction. */
  close(): Promise<void>;
}

/** Replicas over one fresh database. */
export interface Readers extends AsyncDisposable {
  readonly clock: FakeClock;
  /** What they have logged: level and message, then all that was told with it. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly log: Logger;
  readonly reader: Reader;
  readonly database: TestDatabase;
  open(): Promise<Reader>;
}

/** Opens one replica; `open` opens more. */
export async function openReaders(
  kind: DatabaseKind,
  options: Partial<InboxOptions> & HandlerOptions & { readonly trouble?: Trouble } = {},
): Promise<Readers> {
  const clock = fakeClock();
  const lines: Record<string, unknown>[] = [];
  const log = jsonLogger({ write: (line) => void lines.push(JSON.parse(line)) });
  const database = await openDatabase(kind);
  const opened: Reader[] = [];
  const open = async () => {
    const store = await openStore({ ...userRows, ...database });
    const subscriptions = [{ source: "order", handlers: writers(options.trouble, options), clear: emptied }];
    const inbox = openInbox({ store, rows: userEventRows, subscriptions, clock, log, ...options });
    const close = async () => {
      await inbox[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    };
    const reader = { ...inbox, store, close };
    opened.push(reader);
    return reader;
  };
  const reader = await open();
  return {
    clock,
    lines,
    log,
    reader,
    database,
    open,
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map(({ close }) => close()));
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Empties the view. */
export async function emptied(em: SqlEntityManager): Promise<void> {
  await em.nativeDelete(User, {});
}

/** Moves the clock on, step by step, until `look` answers: what waits for time and for the database has both. */
export async function inTime<T>(
  clock: FakeClock,
  what: string,
  look: () => Promise<T | undefined | false>,
  stepMs = 50,
): Promise<T> {
  return eventually(
    what,
    async () => {
      await clock.advance(stepMs);
      return look();
    },
    { everyMs: 2 },
  );
}

/** What is parked, oldest first. */
export function parkedIn(store: Store) {
  return store.read((em) => em.find(userEventRows.parked, {}, { orderBy: { seq: "asc" } }));
}

/** Fails for what is among `bad`, which a test may change. */
export function failsFor(bad: Set<string>): Trouble {
  return (what) => {
    if (bad.has(what)) throw new Error(`${what} is more than I can bear`);
  };
}

/** What was written down, subject by subject, of each in its order: of different subjects none comes before the other. */
export function bySubject(lines: readonly string[]): readonly string[] {
  const subjectOf = (line: string) => line.split(" ").at(-1) ?? "";
  return [...lines].sort((a, b) => (subjectOf(a) < subjectOf(b) ? -1 : Number(subjectOf(a) > subjectOf(b))));
}
