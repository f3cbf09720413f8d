import { createRegistry, type DescService } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { EventService } from "../../gen/heddle/event/v1/event_service_pb.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { runDetached } from "../call/context.ts";
import { openAmqpSource } from "../events/amqp/amqp-source.ts";
import type { QueueKind } from "../events/amqp/topology.ts";
import { catchUp, forgetQueue } from "../events/follow/catch-up.ts";
import { openSubscriber } from "../events/follow/open-subscriber.ts";
import type { FollowedSource } from "../events/follow/subscription-service.ts";
import type { Subscription } from "../events/handler.ts";
import type { OpenInbox } from "../events/inbox/open-inbox.ts";
import { isNotNow } from "../events/not-now.ts";
import type { ServiceEventRows } from "../events/rows.ts";
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
interface Followed {
  readonly source: string;
  readonly subscription: Subscription;
  readonly client: Client<typeof EventService>;
  readonly endPosition: () => bigint;
}

/** Where events come in from, until it is closed: then what is being taken in is finished first. */
export interface EventWays extends AsyncDisposable {
  /** For `subscriptionService`. */
  readonly sources: readonly FollowedSource[];
}

/**
 * Opens a way in from each source: a stream of its log; or RabbitMQ for all of them, beside which logs are read only for what
 * it has never had.
 */
export async function openEventWays(options: EventWaysOptions): Promise<EventWays> {
  await using opening = new AsyncDisposableStack();
  const followed: Followed[] = [];
  for (const subscription of options.subscriptions) {
    const { source } = subscription;
    if (followed.some((other) => other.source === source)) {
      throw new TypeError(`subscriptions name "${source}" twice: put its handlers together`);
    }
    const client = opening.use(await openLog(options, source)).client(EventService);
    const subscriber = opening.use(await openShare(options, { source, client }));
    followed.push({ source, subscription, client, endPosition: () => subscriber.endPosition });
  }
  if (options.amqpUrl !== "" && followed.length > 0) opening.use(await openQueue(options, followed));
  const transport = options.amqpUrl === "" ? "stream" : "amqp";
  const own = opening.move();
  return {
    sources: followed.map(({ subscription, client, endPosition }) => ({
      subscription,
      client,
      transport,
      ...(transport === "stream" && { endPosition }),
    })),
    [Symbol.asyncDispose]: () => own.disposeAsync(),
  };
}

/** A way to a source's log, over a mesh of its own: its streams share neither connections nor limits with other calls. */
function openLog({ publishers, resolver, meshOptions, clock, random, log }: EventWaysOptions, source: string) {
  const publisher = publishers[source];
  if (publisher === undefined) {
    throw new TypeError(`publishers has no "${source}": name the service whose endpoints have its log`);
  }
  return openMesh({ clock, random, log, ...meshOptions, resolver: publisherResolver(resolver, publisher) });
}

/** Follows a log for the slots that are this replica's: for ever, or beside a broker up to where somebody asks. */
async function openShare(options: EventWaysOptions, { source, client }: Pick<Followed, "source" | "client">) {
  const { name: subscriber, store, rows, inbox, holder, amqpUrl, clock, random, log } = options;
  const { cursors, leases } = rows;
  const besideBroker = amqpUrl !== "";
  if (!besideBroker) await whenFree(options, () => forgetQueue({ store, cursors, source }));
  const types = inbox.known.types(source);
  const about = { source, subscriber, types, client, store, cursors, leases, holder, besideBroker };
  return openSubscriber({ ...about, takeIn: inbox.takeIn, clock, random, log });
}

/** Takes in what RabbitMQ brings from all sources, and has what it has never had read from their logs. */
async function openQueue(options: EventWaysOptions, followed: readonly Followed[]): Promise<AsyncDisposable> {
  const { name: service, store, rows, inbox, amqpUrl, amqpQueues: queues, clock, random, log } = options;
  const { cursors } = rows;
  const closing = new AbortController();
  const asking: Promise<void>[] = [];
  const readLogs = (isNewQueue: boolean) => {
    for (const { source, client } of followed) {
      const parts = { source, client, store, cursors, clock, random, log };
      asking.push(runDetached(() => catchUp(parts, isNewQueue, closing.signal)));
    }
  };
  const schemas = followed.flatMap(({ subscription }) => subscription.handlers.map(({ schema }) => schema));
  const types = followed.flatMap(({ source }) => inbox.known.types(source));
  const about = { amqpUrl, service, types, registry: createRegistry(...schemas), queues, takeIn: inbox.takeIn };
  const queue = await openAmqpSource({ ...about, onNewQueue: () => readLogs(true), clock, random, log });
  readLogs(false);
  return {
    async [Symbol.asyncDispose]() {
      closing.abort(new ConnectError("the service stops", Code.Canceled));
      await queue[Symbol.asyncDispose]();
      await Promise.all(asking);
    },
  };
}

/** How often a start asks again whose database is busy or away for the moment, and the rest before that in milliseconds. */
const [startTries, startRestMs] = [20, 500];

/** Does what a start needs of the database; a replica that holds it for some seconds is waited for. */
async function whenFree({ clock }: Pick<EventWaysOptions, "clock">, work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (reason) {
      if (!isNotNow(reason) || tries === startTries) throw reason;
    }
    await clock.sleep(startRestMs);
  }
}
