import { type ConsumeMessage, connect } from "amqplib";

/** Messages that a consumer has in hand at once. */
const prefetch = 100;

/** Events over RabbitMQ as the articles have them: published after the commit, persistent, JSON, acknowledged by hand. */
export interface Bus {
  publish(type: string, body: object): void;
  consume(name: string, types: readonly string[], handle: (type: string, body: never) => Promise<void>): Promise<void>;
}

/** Which broker, and by which name the shop's exchange and queues begin: shops that share a broker share no queue. */
export interface BusOptions {
  readonly url: string;
  readonly shop: string;
}

/** Connects once; who loses the connection loses what was under way. */
export async function openBus({ url, shop }: BusOptions): Promise<Bus> {
  const exchange = `${shop}.events`;
  const connection = await connect(url);
  const out = await connection.createChannel();
  await out.assertExchange(exchange, "topic", { durable: true });
  return {
    publish(type, body) {
      out.publish(exchange, type, Buffer.from(JSON.stringify(body)), { persistent: true });
    },
    async consume(name, types, handle) {
      const queue = `${shop}.${name}`;
      const channel = await connection.createChannel();
      await channel.prefetch(prefetch);
      await channel.assertQueue(queue, { durable: true });
      for (const type of types) await channel.bindQueue(queue, exchange, type);
      const take = async (message: ConsumeMessage) => {
        await handle(message.fields.routingKey, JSON.parse(message.content.toString()) as never);
        channel.ack(message);
      };
      await channel.consume(queue, (message) => message && void take(message));
    },
  };
}
