import { createRegistry, type DescService } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
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
  const sources = new Map<string, Source>();
  for (const { source } of options.subscriptions) {
    if (sources.has(source)) throw new TypeError(`subscriptions name "${source}" twice: put its handlers together`);
    const client = opening.use(await openLog(options, source)).client(EventService);
    if (options.amqpUrl === "") sources.set(source, opening.use(await openStream(options, { source, client })));
    else sources.set(source, { source, client, endPosition: 0n });
  }
  if (options.amqpUrl !== "" && sources.size > 0) opening.use(await openQueue(options, [...sources.values()]));
  const own = opening.move();
  return { sources, [Symbol.asyncDispose]: () => own.disposeAsync() };
}

/** A way to a source's log, over a mesh of its own: its streams share neither connections nor limits with other calls. */
function openLog({ publishers, resolver, meshOptions, clock, random, log }: EventWaysOptions, source: string) {
  const publisher = publishers[source];
  if (publisher === undefined) {
    throw new TypeError(`publishers has no "${source}": name the service whose endpoints have its log`);
  }
  return openMesh({ clock, random, log, ...meshOptions, resolver: publisherResolver(resolver, publisher) });
}

/** Follows a log for the slots that are this replica's. */
async function openStream(options: EventWaysOptions, { source, client }: Pick<Source, "source" | "client">) {
  const { store, rows, holder, clock, random, log } = options;
  await forgetCatchUp({ store, cursors: rows.cursors }, source);
  const follows: { subscriber?: Subscriber } = {};
  const letGo = async (slots: ReadonlySet<number>) => follows.subscriber?.letGo(slots);
  const shares = openWorkShares({ store, rows: rows.leases, work: source, holder, letGo, clock, random, log });
  const subscriber = new Subscriber({ ...followParts(options, source), client, held: shares.held });
  follows.subscriber = subscriber;
  return {
    source,
    client,
    get endPosition() {
      return subscriber.endPosition;
    },
    async [Symbol.asyncDispose]() {
      await subscriber[Symbol.asyncDispose]();
      await shares[Symbol.asyncDispose]();
    },
  };
}

/** Takes what RabbitMQ brings from all sources, and reads of their logs what it has never had. */
async function openQueue(options: EventWaysOptions, sources: readonly Source[]): Promise<AsyncDisposable> {
  const { name: service, inbox, subscriptions, amqpUrl, amqpQueues: queues, clock, random, log } = options;
  const closing = new AbortController();
  const reading: Promise<unknown>[] = [];
  const readLogs = (isNewQueue: boolean) => {
    for (const { source, client } of sources) {
      const parts = { ...followParts(options, source), client };
      reading.push(runDetached(() => catchUp(parts, isNewQueue, closing.signal)));
    }
  };
  const registry = createRegistry(...subscriptions.flatMap(({ handlers }) => handlers.map(({ schema }) => schema)));
  const types = sources.flatMap(({ source }) => inbox.known.types(source));
  const onNewQueue = () => readLogs(true);
  const about = { amqpUrl, service, types, registry, queues, onNewQueue };
  const queue = await openAmqpSource({ ...about, takeIn: inbox.takeIn, clock, random, log });
  readLogs(false);
  return {
    async [Symbol.asyncDispose]() {
      closing.abort(new ConnectError("the service stops", Code.Canceled));
      await queue[Symbol.asyncDispose]();
      await Promise.all(reading);
    },
  };
}

function followParts({ name, store, rows, inbox, clock, random, log }: EventWaysOptions, source: string) {
  const types = inbox.known.types(source);
  const { cursors } = rows;
  return { source, subscriber: name, types, store, cursors, takeIn: inbox.takeIn, clock, random, log };
}
