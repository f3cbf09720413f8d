import { createRegistry, type DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { EventService } from "../../gen/heddle/event/v1/event_service_pb.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { runDetached } from "../call/context.ts";
import { openAmqpSource } from "../events/amqp/amqp-source.ts";
import type { QueueKind } from "../events/amqp/topology.ts";
import { catchUp, forgetCatchUp } from "../events/catch-up.ts";
import type { Subscription } from "../events/handler.ts";
import type { OpenInbox } from "../events/open-inbox.ts";
import type { ServiceEventRows } from "../events/rows.ts";
import { Subscriber } from "../events/subscriber.ts";
import { openWorkShares } from "../events/work-shares.ts";
import { type MeshOptions, openMesh } from "../mesh/mesh.ts";
import type { Resolver } from "../mesh/resolve/resolver.ts";
import type { Store } from "../store/orm.ts";
import { publisherResolver } from "./publisher-resolver.ts";

/** Whose events come in, and how. */
export interface EventWaysOptions {
  /** The service that follows: "user". */
  readonly name: string;
  readonly store: Store;
  readonly rows: Pick<ServiceEventRows, "cursors" | "leases">;
  readonly inbox: OpenInbox;
  readonly subscriptions: readonly Subscription[];
  /** The service of each source, which is found where its log is. */
  readonly publishers: Readonly<Record<string, DescService>>;
  readonly resolver: Resolver;
  readonly meshOptions: MeshOptions;
  /** If empty, events come over a stream from each source. */
  readonly amqpUrl: string;
  readonly amqpQueues: QueueKind;
  /** Who this replica is. */
  readonly holder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** One source, and its log. */
export interface Source {
  readonly source: string;
  readonly client: Client<typeof EventService>;
  /** The last position of its log, as far as it was told; 0 where a broker counts for us. */
  readonly endPosition: bigint;
}

/** Where events come in from, until it is closed: then what is being taken in is finished first. */
export interface EventWays extends AsyncDisposable {
  readonly sources: ReadonlyMap<string, Source>;
}

/** Opens a way in from each source: a stream of its log, or RabbitMQ for all of them together. */
export async function openEventWays(options: EventWaysOptions): Promise<EventWays> {
  await using opening = new AsyncDisposableStack();
  const logs = new Map<string, Client<typeof EventService>>();
  for (const { source } of options.subscriptions) logs.set(source, await openLog(opening, options, source));
  const sources = new Map<string, Source>();
  for (const [source, client] of logs) {
    if (options.amqpUrl === "") sources.set(source, { source, client, ...(await openStream(opening, options, { source, client })) });
    else sources.set(source, { source, client, endPosition: 0n });
  }
  if (options.amqpUrl !== "" && logs.size > 0) await openQueue(opening, options, [...sources.values()]);
  const own = opening.move();
  return { sources, [Symbol.asyncDispose]: () => own.disposeAsync() };
}

/**
 * The log of a source, over a mesh of its own: its streams share neither connections nor limits with this program's calls.
 */
async function openLog(own: AsyncDisposableStack, options: EventWaysOptions, source: string) {
  const { publishers, resolver, meshOptions, clock, random, log } = options;
  const publisher = publishers[source];
  if (publisher === undefined) {
    throw new TypeError(`publishers has no "${source}": name the service whose endpoints have its log`);
  }
  const way = { clock, random, log, ...meshOptions, resolver: publisherResolver(resolver, publisher) };
  return own.use(await openMesh(way)).client(EventService);
}
