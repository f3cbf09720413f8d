import { randomUUID } from "node:crypto";
import { create, createRegistry, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventSchema } from "../../../../gen/heddle/event/v1/event_pb.ts";
import { OrderCancelledSchema, OrderCreatedSchema } from "../../../../gen/shop/order/v1/events_pb.ts";
import { jsonLogger, type Logger } from "../../../base/log.ts";
import type { Batch, TakeIn } from "../../../events/delivery.ts";
import { slotOf } from "../../../events/slots.ts";

/** Knows the payloads of these tests. */
export const registry = createRegistry(OrderCreatedSchema, OrderCancelledSchema);

/** A type of event that no other test binds a queue to. */
export const freshType = () => `shop.order.v1.Test${randomUUID().replaceAll("-", "")}`;

/** A service that no other test plays. */
export const freshService = () => `test-${randomUUID().slice(0, 8)}`;

/** The `n`th event of a subject: the order's version says which. */
export function orderEvent(type: string, subject: number, n: number): Event {
  const created = create(OrderCreatedSchema, {
    order: { id: String(subject), userId: 1n, version: n, items: [{ sku: "tea", qty: 2 }] },
  });
  return create(EventSchema, {
    ...{ id: randomUUID(), source: "order", type, subject: String(subject), slot: slotOf(String(subject)), version: 1 },
    time: timestampFromMs(Date.UTC(2026, 10, 21, 12)),
    dataContentType: "application/protobuf",
    dataSchema: OrderCreatedSchema.typeName,
    data: toBinary(OrderCreatedSchema, created),
  });
}

/** `count` events, by turns of `subjects` orders, each order's in the order of its versions. */
export function orderEvents(type: string, count: number, subjects = 7): Event[] {
  return Array.from({ length: count }, (_, i) => orderEvent(type, i % subjects, Math.floor(i / subjects) + 1));
}

/**
 * Takes events in as an inbox does: each once, however often it comes. It keeps what it has seen, in the order in which
 * it came.
 */
export class Inbox {
  readonly taken: Event[] = [];
  readonly batches: Batch[] = [];
  redelivered = 0;
  readonly #ids = new Set<string>();

  readonly takeIn: TakeIn = async (batch) => {
    this.batches.push(batch);
    for (const event of batch.events) {
      if (this.#ids.has(event.id)) this.redelivered++;
      else {
        this.#ids.add(event.id);
        this.taken.push(event);
      }
    }
  };

  /** Ids by subject, as they came. */
  get bySubject(): ReadonlyMap<string, readonly string[]> {
    return idsBySubject(this.taken);
  }
}

/** Ids by subject, in the order given: what has to be the same at both ends. */
export function idsBySubject(events: readonly Event[]): ReadonlyMap<string, readonly string[]> {
  const ids = new Map<string, string[]>();
  for (const { subject, id } of events) ids.set(subject, [...(ids.get(subject) ?? []), id]);
  return new Map([...ids].sort(([a], [b]) => a.localeCompare(b)));
}

/** A log whose lines a test can read. */
export function readableLog(): { readonly log: Logger; readonly lines: readonly string[] } {
  const lines: string[] = [];
  return { log: jsonLogger({ write: (line) => void lines.push(line) }), lines };
}
