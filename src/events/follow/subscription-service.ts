import type { Client, ServiceImpl } from "@connectrpc/connect";
import type { SqlEntityManager } from "@mikro-orm/sql";
import type { EventService } from "../../../gen/heddle/event/v1/event_service_pb.ts";
import type { SubscriptionService } from "../../../gen/heddle/event/v1/subscription_service_pb.ts";
import { failedPrecondition, notFound } from "../../call/errors.ts";
import type { Subscription } from "../handler.ts";
import { lowest, readCursors } from "../inbox/cursors.ts";
import type { OpenInbox } from "../inbox/open-inbox.ts";
import type { ServiceEventRows } from "../rows.ts";
import { allSlots } from "../slots.ts";
import { parkedService } from "./parked-service.ts";
import { rebuild } from "./rebuild.ts";

/** One service that is followed, and how. */
export interface FollowedSource {
  readonly subscription: Subscription;
  readonly transport: "stream" | "amqp";
  /** The log of the source: where it ends. */
  readonly client: Pick<Client<typeof EventService>, "getEventLog">;
  /** The last position of the log as its subscriber has heard it; unset where a broker counts. */
  readonly endPosition?: () => bigint;
}

/** What the service answers from. */
export interface SubscriptionServiceOptions {
  readonly inbox: Pick<OpenInbox, "parts" | "wake">;
  readonly rows: Pick<ServiceEventRows, "inbox" | "parked" | "cursors">;
  readonly sources: readonly FollowedSource[];
}

/** heddle.event.v1.SubscriptionService: any replica answers for all, as what it tells lies in the database. */
export function subscriptionService(options: SubscriptionServiceOptions): ServiceImpl<typeof SubscriptionService> {
  const { inbox, rows, sources } = options;
  const { store, log } = inbox.parts;
  return {
    ...parkedService(inbox),

    async listSubscriptions() {
      const subscriptions = sources.map((source) => store.read((em) => viewOf(em, options, source)));
      return { subscriptions: await Promise.all(subscriptions) };
    },

    async rebuildSubscription({ source }) {
      const followed = sources.find(({ subscription }) => subscription.source === source);
      if (followed === undefined) throw notFound("subscription", source);
      const { subscription, client, transport } = followed;
      const { clear } = subscription;
      if (clear === undefined) throw isMoreThanAView(source);
      const { endPosition } = await client.getEventLog({});
      const until = transport === "amqp" ? { until: endPosition } : {};
      await rebuild({ store, rows, subscription: { ...subscription, clear }, ...until });
      log.warn("a view is made anew, as somebody asked", { source, end: endPosition });
      return { endPosition };
    },
  };
}

async function viewOf(em: SqlEntityManager, { inbox, rows }: SubscriptionServiceOptions, followed: FollowedSource) {
  const { subscription, transport, endPosition } = followed;
  const { source, clear } = subscription;
  const count = (state: "waiting" | "dead") => em.count(rows.parked, { source, state });
  return {
    source,
    types: [...inbox.parts.known.types(source)],
    transport,
    position: transport === "stream" ? await positionOf(em, rows, source) : 0n,
    endPosition: endPosition?.() ?? 0n,
    waiting: BigInt(await count("waiting")),
    dead: BigInt(await count("dead")),
    rebuildable: clear !== undefined,
  };
}

/** Up to where every slot has been read. */
async function positionOf(em: SqlEntityManager, { cursors }: SubscriptionServiceOptions["rows"], source: string) {
  const at = await readCursors(em, cursors, source, allSlots);
  return lowest(allSlots.map((slot) => at.get(slot) ?? 0n));
}

function isMoreThanAView(source: string) {
  const message = `what is made of the events of ${source} is more than a view of them: emptying it would lose what only it knows`;
  return failedPrecondition(message, { reason: "NO_VIEW", domain: "heddle", metadata: { source } });
}
