import { writeFileSync } from "node:fs";
import { compareOrders } from "./compare.ts";

/** Milliseconds of one round of one shop, at full speed and again at half of it, and of warming up. */
const [roundMs, warmUpMs] = [4_000, 5_000];

/**
 * Measures orders from the gateway to their last effect, beside the plain way; writes the page of it, and answers it. Needs a
 * RabbitMQ and a PostgreSQL: HEDDLE_TEST_AMQP and HEDDLE_TEST_POSTGRES, as `make bench` sets them.
 */
export async function measureAllOrders({ rounds, written }: { rounds: number; written: string }): Promise<string> {
  const amqpUrl = process.env.HEDDLE_TEST_AMQP ?? "";
  if (amqpUrl === "") throw new Error("HEDDLE_TEST_AMQP is not set: run this by `make bench`, which starts a RabbitMQ");
  const told = await compareOrders({ rounds, ms: roundMs, warmUpMs, amqpUrl });
  const page = `# Orders, end to end\n\n${written}\n${about}\n\n${told}\n`;
  writeFileSync(`${import.meta.dirname}/results.md`, page);
  return page;
}

const about = [
  "One process of each: gateway, user, order, catalog (and discovery, for Heddle), and who places the orders, on all CPUs",
  "together; 32 orders under way at once over REST. `orders/s` is by the time when the last order has come to its end: its stock",
  "sold, the user service told. The plain way is Connect-ES, MikroORM and amqplib with events published after the commit: no outbox,",
  "no inbox, no saga, no request ids. `effect`: from the commit of an order until the user service has written it, at half of",
  "the orders/s just measured. Medians of all rounds, [lowest..highest]; ratios are of rounds next to each other.",
].join("\n");
