import { createRegistry, type DescMessage, type DescService } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { EventService } from "../../gen/heddle/event/v1/event_service_pb.ts";
import { SubscriptionService } from "../../gen/heddle/event/v1/subscription_service_pb.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { jsonLogger, type Logger } from "../base/log.ts";
import { type Random, systemRandom } from "../base/random.ts";
import { createUuids } from "../base/uuids.ts";
import { openAmqpSink } from "../events/amqp/amqp-sink.ts";
import type { EventFormat } from "../events/amqp/event-message.ts";
import type { QueueKind } from "../events/amqp/topology.ts";
import { eventPolicies } from "../events/event-policy.ts";
import { subscriptionService } from "../events/follow/subscription-service.ts";
import type { Subscription } from "../events/handler.ts";
import type { EventHooks } from "../events/hooks.ts";
import { openInbox } from "../events/inbox/open-inbox.ts";
import type { Outbox } from "../events/outbox/outbox.ts";
import { openPublisher } from "../events/relay/publisher.ts";
import type { ServiceEventRows } from "../events/rows.ts";
import type { MeshOptions } from "../mesh/mesh.ts";
import type { Resolver } from "../mesh/resolve/resolver.ts";
import type { Store } from "../store/orm.ts";
import { openEventWays } from "./event-ways.ts";

/** What a service tells others, and what it hears of them. */
export interface EventsOptions {
  /** The service: "order". Replicas share it, and its database. */
  readonly name: string;
  readonly store: Store;
  readonly rows: ServiceEventRows;
  /** Where the service writes what it publishes. */
  readonly outbox: Outbox;
  /** The payloads that it publishes: needed to write them as JSON for a broker. */
  readonly publishes?: readonly DescMessage[];
  /** Whom it follows, and what it does about it. */
  readonly subscriptions?: readonly Subscription[];
  /** The service of each source that it follows, which is found where its log is: `{ order: OrderService }`. */
  readonly publishers?: Readonly<Record<string, DescService>>;
  /** Finds them: the `resolver` of a mesh, which stays its owner's to close. */
  readonly resolver: Resolver;
  /** RabbitMQ's URL. If empty, events travel in streams from service to service, by no broker. */
  readonly amqpUrl?: string;
  readonly amqpQueues?: QueueKind;
  /** How payloads are written for the broker. */
  readonly eventFormat?: EventFormat;
  readonly hooks?: EventHooks;
  /** How streams from others are opened, beside where to. */
  readonly meshOptions?: Omit<MeshOptions, "resolver">;
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A service's events on their way. Closing it takes in nothing new, finishes what it is at, and publishes no more. */
export interface OpenEvents extends AsyncDisposable {
  /** What `serve` takes beside the service's own: its log, for those who follow it, and its subscriptions, for people. */
  readonly services: readonly [
    readonly [typeof EventService, ServiceImpl<typeof EventService>],
    readonly [typeof SubscriptionService, ServiceImpl<typeof SubscriptionService>],
  ];
}

/**
 * Has a service's events travel: publishes what its outbox holds, takes in what others publish, and tries again what failed. All
 * of it lies in its database, so it begins where it stopped; neither a source nor the broker has to be there yet, and the
 * service is ready without them.
 *
 *     const outbox = createOutbox({ source: "order", rows: rows.events });
 *     await using events = await openEvents({ name: "order", store, rows, outbox, resolver: mesh.resolver });
 *     const server = await serve({ name: "order", services: [[OrderService, orders], ...events.services] });
 */
export async function openEvents(options: EventsOptions): Promise<OpenEvents> {
  const { name, store, rows, outbox, subscriptions = [], publishers = {}, publishes = [], resolver } = options;
  const {
    hooks = {},
    amqpUrl = "",
    amqpQueues = "quorum",
    eventFormat: format = "protobuf",
    meshOptions = {},
  } = options;
  const { clock = systemClock, random = systemRandom, log = jsonLogger({ fields: { service: name } }) } = options;
  const tools = { clock, random, log };
  const holder = createUuids(clock, random)();
  await using opening = new AsyncDisposableStack();
  eventPolicies(publishes); // what is declared wrongly is known at the start, not when the first is published
  const registry = createRegistry(...publishes);
  const sink =
    amqpUrl === ""
      ? undefined
      : opening.use(await openAmqpSink({ amqpUrl, service: name, format, registry, ...tools }));
  const publisher = opening.use(openPublisher({ store, rows, outbox, sink, holder, hooks, ...tools }));
  const inbox = opening.use(openInbox({ store, rows, subscriptions, hooks, clock, log }));
  const way = {
    name,
    store,
    rows,
    inbox,
    subscriptions,
    publishers,
    resolver,
    meshOptions,
    amqpUrl,
    amqpQueues,
    holder,
  };
  const { sources } = opening.use(await openEventWays({ ...way, ...tools }));
  const own = opening.move();
  return {
    services: [
      [EventService, publisher.service],
      [SubscriptionService, subscriptionService({ inbox, rows, sources })],
    ],
    [Symbol.asyncDispose]: () => own.disposeAsync(),
  };
}
