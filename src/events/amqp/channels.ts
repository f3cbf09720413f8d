import type { Channel } from "amqplib";
import { messageOf } from "../../base/message-of.ts";
import { BrokerRefusal, type Connection } from "./connection.ts";

/** RabbitMQ closes the channel on which something was refused, so each thing has one of its own. */
export async function onChannel(connection: Connection, thing: string, use: (channel: Channel) => Promise<void>) {
  const channel = await openChannel(connection);
  try {
    await use(channel);
  } catch (reason) {
    if (codeOf(reason) === 406) throw new BrokerRefusal(mismatch(thing, messageOf(reason)), { cause: reason });
    if (codeOf(reason) === 403)
      throw new BrokerRefusal(`AMQP_URL: its user may not use "${thing}": ${messageOf(reason)}`);
    throw reason;
  }
  await channel.close();
}

/** Opens a channel. */
export async function openChannel({ model }: Connection): Promise<Channel> {
  const channel = await model.createChannel();
  channel.on("error", () => {}); // whoever asked is told
  return channel;
}

/** The number that RabbitMQ gave a refusal: 404. */
export const codeOf = (reason: unknown) => (reason as { code?: unknown } | undefined)?.code;

/** "inequivalent arg 'x-queue-type' for queue 'heddle.user' in vhost '/': received 'quorum' but current is 'classic'" */
function mismatch(thing: string, told: string): string {
  const [, argument = "", kind = "queue"] = /inequivalent arg '([^']*)' for (queue|exchange)/.exec(told) ?? [];
  const [, wanted = "", current = ""] = /received (.*?) but current is (.*?)"?$/.exec(told) ?? [];
  const differs = argument ? `its ${argument} is ${current}, not ${wanted}` : told;
  const setting = argument === "x-queue-type" ? `set AMQP_QUEUES=${current.replaceAll(/[^a-z]/g, "")}, or ` : "";
  const remove =
    kind === "exchange"
      ? `rabbitmqadmin delete exchange name=${thing}`
      : `rabbitmqctl delete_queue ${thing} --if-empty`;
  return `RabbitMQ has a ${kind} "${thing}" of another make (${differs}): ${setting}remove it with "${remove}", then start again`;
}
