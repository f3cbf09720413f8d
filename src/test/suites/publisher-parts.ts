import { fromBinary } from "@bufbuild/protobuf";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import { EventService } from "../../../gen/heddle/event/v1/event_service_pb.ts";
import { OrderCreatedSchema } from "../../../gen/shop/order/v1/events_pb.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { EventSink } from "../../events/delivery.ts";
import type { EventHooks } from "../../events/hooks.ts";
import { createOutbox, type Outbox } from "../../events/outbox/outbox.ts";
import { openPublisher, type Publisher } from "../../events/relay/publisher.ts";
import { orderEventRows, orderRows } from "../../services/order/order-entity.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { openStore, type Store } from "../../store/orm.ts";
import type { Work } from "../../store/unit.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { clientOf } from "./open-service.ts";

/** What one replica that publishes is opened with. */
export interface PublisherParts {
  readonly sink?: EventSink;
  readonly clock?: Clock;
  readonly maxBacklog?: number;
  readonly hooks?: EventHooks;
  /** Whether it publishes at all: one that only appends is like one that dies before it could. Default true. */
  readonly publishes?: boolean;
}

/** Opens a fresh database, and replicas that publish from it. */
export async function openPublishers(kind: DatabaseKind) {
  const database = await openDatabase(kind);
  const replicas: OpenReplica[] = [];
  const openReplicaStore = () => openStore({ ...orderRows, ...database });
  return {
    /** The database, to be looked at. */
    openStore: openReplicaStore,
    async open(parts: PublisherParts = {}): Promise<OpenReplica> {
      const replica = await openReplica(await openReplicaStore(), `replica ${replicas.length}`, parts);
      replicas.push(replica);
      return replica;
    },
    async [Symbol.asyncDispose]() {
      for (const replica of replicas) await replica.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** One replica: its store, its outbox, and what publishes from it. */
export type OpenReplica = Awaited<ReturnType<typeof openReplica>>;

async function openReplica(real: Store, holder: string, parts: PublisherParts) {
  const { clock = systemClock, publishes = true, sink, maxBacklog, hooks } = parts;
  const store = mayBeAway(real);
  const rows = orderEventRows;
  const settings = { ...(maxBacklog && { maxBacklog }), ...(hooks && { hooks }) };
  const outbox = createOutbox({ source: "order", rows: rows.events, clock, ...settings });
  const publisher = publishes
    ? openPublisher({ store, rows, outbox, sink, holder, clock, ...(hooks && { hooks }) })
    : undefined;
  const close = async () => {
    await publisher?.[Symbol.asyncDispose]();
    await real[Symbol.asyncDispose]();
  };
  return { store, outbox, holder, ...serviceOf(publisher), close };
}

function serviceOf(publisher: Publisher | undefined) {
  if (publisher === undefined) return {};
  return { publisher, events: clientOf(EventService, publisher.service) };
}

/** The same store, whose database can be made to seem away, in its transactions only. */
function mayBeAway(store: Store) {
  const wrapped = {
    ...store,
    away: false,
    unit: <T>(work: Work<T>): Promise<T> => (wrapped.away ? Promise.reject(new Error("away")) : store.unit(work)),
  };
  return wrapped;
}

/** Publishes that an order was created, in a unit of its own. */
export function publishOrder(
  { store, outbox }: { store: Store; outbox: Outbox },
  id: string,
  reason = "",
): Promise<void> {
  return store.unit((em) => outbox.append(em, OrderCreatedSchema, { order: { id, cancelReason: reason } }));
}

/** The payload as it was published: "subject/reason". */
export function shown(event: Event): string {
  const { order } = fromBinary(OrderCreatedSchema, event.data);
  return `${order?.id}/${order?.cancelReason}`;
}

/** A broker in memory: it keeps what it is sent, unless it is away, or dies between keeping and saying so. */
export class MemorySink implements EventSink {
  readonly kept: Event[] = [];
  /** Sends under way, by event id: for tests that no two replicas send the same at once. */
  readonly underWay = new Map<string, number>();
  mood: "well" | "away" | "forgetful" = "well";
  /** Who has sent anything. */
  readonly senders = new Set<string>();
  /** The most sends of one event that were ever under way at once. */
  atOnce = 0;

  /** The same broker, as one replica sees it. */
  from(sender: string): EventSink {
    const send = async (events: readonly Event[]) => {
      await this.send(events);
      this.senders.add(sender);
    };
    return { send, [Symbol.asyncDispose]: async () => {} };
  }

  async send(events: readonly Event[]): Promise<void> {
    if (this.mood === "away") throw new Error("the broker is away");
    for (const { id } of events) {
      const count = (this.underWay.get(id) ?? 0) + 1;
      this.underWay.set(id, count);
      this.atOnce = Math.max(this.atOnce, count);
    }
    await systemClock.sleep(2);
    for (const { id } of events) this.underWay.set(id, (this.underWay.get(id) ?? 1) - 1);
    this.kept.push(...events);
    if (this.mood === "forgetful") throw new Error("the connection was lost before the confirm came");
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
