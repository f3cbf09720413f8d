import { writeFileSync } from "node:fs";
import { compareBacklogs } from "./backlogs.ts";
import { compareOrders } from "./compare.ts";

/** Milliseconds of one round of one shop, at full speed and again at half of it, and of warming up. */
const [roundMs, warmUpMs] = [3_000, 3_000];
/** How often the backlogs are worked off at most: once takes three minutes. */
const mostBacklogs = 3;

/**
 * Measures orders from the gateway to their last effect, beside the plain way; writes the page of it, and answers it. Needs a
 * RabbitMQ and a PostgreSQL: HEDDLE_TEST_AMQP and HEDDLE_TEST_POSTGRES, as `make bench` sets them.
 */
export async function measureAllOrders({ rounds, written }: { rounds: number; written: string }): Promise<string> {
  const amqpUrl = process.env.HEDDLE_TEST_AMQP ?? "";
  if (amqpUrl === "") throw new Error("HEDDLE_TEST_AMQP is not set: run this by `make bench`, which starts a RabbitMQ");
  const told = await compareOrders({ rounds, ms: roundMs, warmUpMs, amqpUrl });
  const backlogs = await compareBacklogs({ amqpUrl, rounds: Math.min(rounds, mostBacklogs) });
  const page = `# Orders, end to end\n\n${written}\n${about}\n\n${told}\n\n## Backlogs\n\n${aboutBacklogs}\n\n${backlogs}\n`;
  writeFileSync(`${import.meta.dirname}/results.md`, page);
  return page;
}

const about = [
  "One process of each: gateway, user, order, catalog (and discovery, for Heddle), and who places the orders, on all CPUs",
  "together; 32 orders under way at once over REST. `orders/s` is by the time when the last order has come to its end: its stock",
  "sold, the user service told. The plain way is Connect-ES, MikroORM and amqplib with events published after the commit: no outbox,",
  "no inbox, no saga, no request ids. `effect`: from the time of an order's event until the user service begins to write it, by what",
  "both note, at half of the orders/s just measured; `p50` and `p99` are of the requests at full speed. `failed` are requests not answered 201. Medians of all rounds, [lowest..highest]; ratios are of rounds next to each other.",
].join("\n");

const aboutBacklogs = [
  "Two events of each of 50,000 orders lie in the order service's tables, written there by SQL while it was down, as an",
  "outage of ten minutes would have left them. `relay`: the order service starts and publishes them, to its log or to RabbitMQ, which",
  "confirms each and keeps it in the user service's quorum queue. `catch-up`: then the user service starts and takes them in, while GetUser is called 200 times a second, straight; those from 2 s on count. `idle` is",
  "the same for 18 s afterwards. One process of each; `failed` are calls. Medians of all rounds, [lowest..highest].",
].join("\n");
