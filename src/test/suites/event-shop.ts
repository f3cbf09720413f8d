import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { EventService } from "../../../gen/heddle/event/v1/event_service_pb.ts";
import { SubscriptionService } from "../../../gen/heddle/event/v1/subscription_service_pb.ts";
import { serve } from "../../app/run.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { Watchable } from "../../base/watch.ts";
import type { Command } from "../../cli/command.ts";
import { keysFolder } from "../../cli/plan.ts";
import { runCli } from "../../cli/run-cli.ts";
import { Subscriber } from "../../events/follow/subscriber.ts";
import { subscriptionService } from "../../events/follow/subscription-service.ts";
import { allSlots } from "../../events/slots.ts";
import { jwksPath } from "../../security/signing-keys.ts";
import { developmentTokens, ensureKeys } from "../../security/token-service.ts";
import { openServer } from "../../server/serve.ts";
import { userEventRows } from "../../services/user/user-entity.ts";
import { emptied, openReaders, type Trouble, writers, written } from "./inbox-parts.ts";
import { openPublishers, publishOrder } from "./publisher-parts.ts";

/** An order service that publishes, a user service that follows it, over sockets, and a discovery that knows both. */
export async function openEventShop(trouble: Trouble) {
  const own = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), "heddle-home-"));
  own.defer(() => rm(home, { recursive: true, force: true }));
  const keys = { folder: keysFolder(home), clock: systemClock };
  await ensureKeys(keys);
  const { issuer, audience } = developmentTokens;
  const tokens = { jwks: jwksPath(keys.folder), issuer, audience };
  const serving = { port: 0, discovery: false, signals: false, log: silentLogger, tokens } as const;

  const publishers = own.use(await openPublishers("sqlite"));
  const publisher = await publishers.open();
  const log = publisher.events;
  if (publisher.publisher === undefined || log === undefined) throw new Error("it does not publish");
  const retries = { maxAttempts: 2, initialMs: 10 };
  const { reader } = own.use(await openReaders("sqlite", { trouble, retries, clock: systemClock }));
  const held = new Watchable<ReadonlySet<number>>(new Set(allSlots));
  const { takeIn, known, store } = reader;
  const follower = { source: "order", subscriber: "user", types: known.types("order"), cursors: userEventRows.cursors };
  const subscriber = own.use(new Subscriber({ ...follower, client: log, store, takeIn, held }));
  const subscription = { source: "order", handlers: writers(), clear: emptied };
  const endPosition = () => subscriber.endPosition;
  const sources = [{ subscription, transport: "stream", client: log, endPosition }] as const;
  const hearing = subscriptionService({ inbox: reader, rows: userEventRows, sources });
  const user = own.use(await serve({ ...serving, name: "user", services: [[SubscriptionService, hearing]] }));
  const order = own.use(
    await serve({ ...serving, name: "order", services: [[EventService, publisher.publisher.service]] }),
  );

  const instance = (name: string, { typeName }: { readonly typeName: string }, port: number) => {
    return { id: name, name, services: [typeName], host: "127.0.0.1", port, status: Status.HEALTHY };
  };
  const services = [
    { name: "order", instances: [instance("order", EventService, order.port)] },
    { name: "user", instances: [instance("user", SubscriptionService, user.port)] },
  ];
  const discovery = own.use(
    await openServer({ services: [[DiscoveryService, { listServices: () => ({ services }) }]] }),
  );
  return {
    home,
    discovery: `127.0.0.1:${discovery.port}`,
    order,
    publish: (id: string) => publishOrder(publisher, id),
    seen: () => written(store),
    [Symbol.asyncDispose]: () => own.disposeAsync(),
  };
}

/** What a command prints, and its exit status. */
export async function typedInto(command: Command, env: NodeJS.ProcessEnv, args: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const status = await runCli({
    args: [command.name, ...args],
    commands: [command],
    plan: [],
    env,
    clock: systemClock,
    interrupted: new AbortController().signal,
    stdout: { write: (text: string) => void out.push(text) },
    stderr: { write: (text: string) => void err.push(text) },
  });
  return { status, out: out.join(""), err: err.join("") };
}
