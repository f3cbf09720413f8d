// How many events a second a relay publishes: `node scripts/measure-relay.ts [sqlite|postgres] [events]`.

import { EventService } from "../gen/heddle/event/v1/event_service_pb.ts";
import { OrderCreatedSchema } from "../gen/shop/order/v1/events_pb.ts";
import type { EventSink } from "../src/events/delivery.ts";
import { createOutbox } from "../src/events/outbox/outbox.ts";
import { openPublisher } from "../src/events/relay/publisher.ts";
import { orderEventRows, orderRows } from "../src/services/order/order-entity.ts";
import { openStore, type Store } from "../src/store/orm.ts";
import { clientOf } from "../src/test/suites/open-service.ts";
import { eventually } from "../src/testing/eventually.ts";
import { openDatabase } from "../src/testing/open-database.ts";

const kind = process.argv[2] === "postgres" ? "postgres" : "sqlite";
const events = Number(process.argv[3] ?? 50_000);
const perUnit = 100;

/** A broker that says at once that it keeps what it is sent. */
const sink: EventSink = { send: async () => {}, [Symbol.asyncDispose]: async () => {} };

/** Writes events as services do; answers with how many a second. */
async function append(store: Store): Promise<number> {
  const outbox = createOutbox({ source: "order", rows: orderEventRows.events });
  const items = Array.from({ length: 3 }, (_, line) => ({ sku: `sku-${line}`, quantity: 1 }));
  const startedAt = performance.now();
  for (let done = 0; done < events; done += perUnit) {
    await store.unit(async (em) => {
      for (let turn = 0; turn < perUnit; turn++) {
        await outbox.append(em, OrderCreatedSchema, { order: { id: `order-${done + turn}`, userId: 1n, items } });
      }
    });
  }
  return (events / (performance.now() - startedAt)) * 1_000;
}

/** Publishes all that waits; answers with how many a second. */
async function publish(store: Store, to: EventSink | undefined): Promise<number> {
  const outbox = createOutbox({ source: "order", rows: orderEventRows.events });
  const startedAt = performance.now();
  await using publisher = openPublisher({ store, rows: orderEventRows, outbox, sink: to, holder: "measured" });
  const { end } = publisher.log.head;
  await eventually("all are published", () => (end.value ?? 0n) >= BigInt(events), { withinMs: 120_000, everyMs: 5 });
  const rate = (events / (performance.now() - startedAt)) * 1_000;
  if (to === undefined) await follow(publisher);
  return rate;
}

async function follow(publisher: ReturnType<typeof openPublisher>): Promise<void> {
  const client = clientOf(EventService, publisher.service);
  const cursors = Array.from({ length: 8 }, (_, slot) => ({ slot }));
  const startedAt = performance.now();
  let seen = 0;
  for await (const { events: batch } of client.subscribe({ subscriber: "measured", cursors })) {
    seen += batch.length;
    if (seen >= events) break;
  }
  show("followed from the start", (events / (performance.now() - startedAt)) * 1_000);
}

function show(what: string, rate: number): void {
  process.stdout.write(`${kind.padEnd(9)} ${what.padEnd(26)} ${Math.round(rate).toLocaleString("en")} events/s\n`);
}

for (const [what, to] of [
  ["published to the log", undefined],
  ["published to a broker", sink],
] as const) {
  await using database = await openDatabase(kind);
  await using store = await openStore({ ...orderRows, ...database });
  show("written, 100 in a unit", await append(store));
  show(what, await publish(store, to));
}
