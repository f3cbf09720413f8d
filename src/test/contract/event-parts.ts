import { randomUUID } from "node:crypto";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventSchema } from "../../../gen/heddle/event/v1/event_pb.ts";
import { EventService } from "../../../gen/heddle/event/v1/event_service_pb.ts";
import { ParkedState, SubscriptionService } from "../../../gen/heddle/event/v1/subscription_service_pb.ts";
import type { EventSink } from "../../events/delivery.ts";
import { eventPolicy } from "../../events/event-policy.ts";
import { subscriptionService } from "../../events/follow/subscription-service.ts";
import type { Subscription } from "../../events/handler.ts";
import { openInbox } from "../../events/inbox/open-inbox.ts";
import { createOutbox } from "../../events/outbox/outbox.ts";
import { openPublisher } from "../../events/relay/publisher.ts";
import type { ServiceEventRows } from "../../events/rows.ts";
import type { ServiceEntry } from "../../server/serve.ts";
import type { Store } from "../../store/orm.ts";
import { eventually } from "../../testing/eventually.ts";
import { clientOf } from "../suites/open-service.ts";

/** Whose events, and which others they hear of. */
export interface EventPartsOptions {
  readonly source: string;
  readonly store: Store;
  readonly rows: ServiceEventRows;
  readonly subscriptions?: readonly Subscription[];
  /** Whether there is a broker, which takes everything. */
  readonly hasBroker?: boolean;
}

/** What a service of the shop publishes and takes in, in this process: its log leads to nobody, and it follows nobody. */
export function openEventParts(own: AsyncDisposableStack, options: EventPartsOptions) {
  const { source, store, rows, subscriptions = [], hasBroker = false } = options;
  const outbox = createOutbox({ source, rows: rows.events });
  const sink: EventSink = { async send() {}, async [Symbol.asyncDispose]() {} };
  const about = { store, rows, outbox, holder: randomUUID() };
  const publisher = own.use(openPublisher({ ...about, ...(hasBroker && { sink }) }));
  const inbox = own.use(openInbox({ store, rows, subscriptions, retries: { maxAttempts: 1 } }));
  const client = { getEventLog: async () => ({ endPosition: 0n }) as never };
  const sources = subscriptions.map((subscription) => ({ subscription, transport: "stream" as const, client }));
  const subscribed = subscriptionService({ inbox, rows, sources });
  const parked = clientOf(SubscriptionService, subscribed);
  return {
    publish: outbox.append,
    entries: [
      [EventService, publisher.service],
      [SubscriptionService, subscribed],
    ] as const satisfies readonly ServiceEntry[],

    /** Takes in an event that cannot be handled, and is given up; answers with its id. */
    async giveUp<Desc extends DescMessage>(schema: Desc, message: MessageInitShape<Desc>): Promise<string> {
      const [{ source: from } = { source: "" }] = subscriptions;
      const data = toBinary(schema, create(schema, message));
      const { type, version } = eventPolicy(schema);
      const id = randomUUID();
      const payload = { dataContentType: "application/protobuf", dataSchema: schema.typeName, version, data };
      const time = timestampFromMs(1_000);
      const event = create(EventSchema, { id, source: from, type, subject: id, time, ...payload });
      await inbox.takeIn({ source: from, events: [event] });
      await eventually(`${id} is given up`, async () => {
        const { parkedEvent } = await parked.getParkedEvent({ id });
        return parkedEvent?.state === ParkedState.DEAD;
      });
      return id;
    },
  };
}
