import { type ChannelModel, connect } from "amqplib";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/message-of.ts";
import { brokerOf } from "./amqp-url.ts";

/** Half of this passes in silence before RabbitMQ, or we, call the other dead: twice this after its last word. */
const heartbeatSeconds = 10;
/** How long connecting may take, and saying goodbye. */
const [connectMs, goodbyeMs] = [10_000, 3_000];

/** A connection to RabbitMQ, until it is lost: it is never mended, another one takes its place. */
export interface Connection {
  readonly model: ChannelModel;
  /** Resolves with the reason when the connection is no more. */
  readonly lost: Promise<Error>;
  /** Cuts the connection off: nobody answers on it, or it is of no use any more. */
  drop(reason: Error): void;
  /** Says goodbye, for a while, and ends the connection. */
  close(clock: Clock): Promise<void>;
}

/**
 * Connects to RabbitMQ; `name` is what its listings call the connection. The error of one that is not let in names AMQP_URL and
 * neither password nor user.
 */
export async function openConnection(amqpUrl: string, name: string): Promise<Connection> {
  const model = await connected(amqpUrl, name);
  const { promise: lost, resolve } = Promise.withResolvers<Error>();
  let first: Error | undefined;
  model.on("error", (error) => {
    first ??= error;
  });
  model.on("close", (error) => {
    socketOf(model)?.destroy?.(); // the library ends its own half only, and the other's may never come
    resolve(first ?? error ?? new Error("the connection was closed"));
  });
  const drop = (reason: Error) => {
    first ??= reason;
    socketOf(model)?.destroy?.(reason);
    resolve(first); // what came first is the cause: a lost connection takes its channels along
  };
  return { model, lost, drop, close: (clock) => goodbye(model, { clock, drop }) };
}

async function connected(amqpUrl: string, name: string): Promise<ChannelModel> {
  const url = new URL(amqpUrl);
  if (!url.searchParams.has("heartbeat")) url.searchParams.set("heartbeat", String(heartbeatSeconds));
  const options = { noDelay: true, timeout: connectMs, clientProperties: { connection_name: name } };
  try {
    return await connect(url.href, options);
  } catch (reason) {
    throw isRefusal(reason) ? new BrokerRefusal(refusalOf(amqpUrl, reason), { cause: reason }) : reason;
  }
}

/** RabbitMQ is there and says no: waiting mends nothing. */
export class BrokerRefusal extends Error {}

/** The last is how the library puts it that the virtual host is not opened, whatever RabbitMQ said. */
const refusals = /ACCESS.REFUSED|NOT.ALLOWED|Expected ConnectionOpenOk; got <ConnectionClose/;

const isRefusal = (reason: unknown) => refusals.test(messageOf(reason));

function refusalOf(amqpUrl: string, reason: unknown): string {
  const vhost = decodeURIComponent(new URL(amqpUrl).pathname.slice(1)) || "/";
  const mend = "look at the user, the password and the virtual host";
  return `AMQP_URL: RabbitMQ at ${brokerOf(amqpUrl)} lets nobody in by it, to the virtual host "${vhost}": ${mend} (${messageOf(reason)})`;
}

async function goodbye(model: ChannelModel, { clock, drop }: { clock: Clock; drop: Connection["drop"] }) {
  const timer = clock.setTimer(goodbyeMs, () => drop(new Error("RabbitMQ did not say goodbye")));
  const closed = Promise.withResolvers<void>();
  model.once("close", () => closed.resolve());
  model.close().then(closed.resolve, closed.resolve);
  await closed.promise;
  timer.cancel();
  socketOf(model)?.destroy?.();
}

/** The socket beneath, which the library's types keep to themselves. */
function socketOf(model: ChannelModel): { destroy?(error?: Error): void } | undefined {
  return (model.connection as unknown as { stream?: { destroy?(error?: Error): void } }).stream;
}
