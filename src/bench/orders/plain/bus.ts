import { type ConsumeMessage, connect } from "amqplib";

const exchange = "plain.events";
/** Messages that a consumer has in hand at once. */
const prefetch = 100;

/** Events over RabbitMQ as the articles have them: published after the commit, persistent, JSON, acknowledged by hand. */
export interface Bus {
  publish(type: string, body: object): void;
  consume(queue: string, types: readonly string[], handle: (type: string, body: never) => Promise<void>): Promise<void>;
}

/** Connects once; who loses the connection loses what was under way. */
export async function openBus(url: string): Promise<Bus> {
  const connection = await connect(url);
  const out = await connection.createChannel();
  await out.assertExchange(exchange, "topic", { durable: true });
  return {
    publish(type, body) {
      out.publish(exchange, type, Buffer.from(JSON.stringify(body)), { persistent: true });
    },
    async consume(queue, types, handle) {
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
