import { randomUUID } from "node:crypto";
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { expect } from "vitest";
import { type Event, EventSchema } from "../../../gen/heddle/event/v1/event_pb.ts";
import type { Publish, Subscription } from "../../events/handler.ts";
import type { ServiceEventRows } from "../../events/rows.ts";
import type { Store } from "../../store/orm.ts";

/** Writes events into the tables of a service, as its outbox does, for suites that look at what it publishes. */
export function publishingTo({ events }: ServiceEventRows): Publish {
  return async (em, schema, message) => {
    const data = Buffer.from(toBinary(schema, create(schema, message)));
    const about = { slot: 0, version: 1, subject: "", traceParent: "", time: new Date(0), dataSchema: schema.typeName };
    await em.insert(events, { id: randomUUID(), position: null, type: schema.typeName, ...about, data });
  };
}

/** What a service has published of one type, oldest first. */
export async function publishedOf<Desc extends DescMessage>(store: Store, { events }: ServiceEventRows, schema: Desc) {
  const where = { dataSchema: schema.typeName };
  const rows = await store.read((em) => em.find(events, where, { orderBy: { seq: "asc" } }));
  return rows.map(({ data }) => fromBinary(schema, data));
}

/** Hands a message to the handler that a subscription has for it, in a transaction, as the inbox does. */
export async function hear<Desc extends DescMessage>(
  store: Store,
  { source, handlers }: Subscription,
  schema: Desc,
  message: MessageInitShape<Desc>,
): Promise<void> {
  const handler = handlers.find((known) => known.schema.typeName === schema.typeName);
  if (handler === undefined) expect.fail(`nobody handles ${schema.typeName} from ${source}`);
  const event: Event = create(EventSchema, { id: randomUUID(), source, type: schema.typeName });
  await store.unit((em) => handler.handle(create(schema, message) as never, { em, event, now: 0 }));
}
