import { openDatabase } from "../../testing/open-database.ts";
import { atLeast, atMost, type Figure } from "../situations/figure.ts";
import { figureTable } from "../situations/page.ts";
import { table } from "../table.ts";
import { type BacklogRound, measureBacklog } from "./catch-up-run.ts";
import { deleteQueues } from "./delete-queues.ts";

const events = 100_000;
/** What issue 6 asks for: events a second that the relay publishes, and how much slower calls may be meanwhile. */
const [relayed, timesIdle] = [5_000, 2];

/** Backlogs worked off, one after the other: the tables of what it came to, as Markdown. */
export async function compareBacklogs(amqpUrl: string): Promise<string> {
  await using opened = new AsyncDisposableStack();
  const databaseOf = async () => opened.use(await openDatabase("postgres")).databaseUrl;
  const ways = [
    { name: "SQLite, event stream", isTakenIn: true },
    { name: "PostgreSQL, event stream", isTakenIn: false, databaseOf },
    { name: "PostgreSQL, RabbitMQ", isTakenIn: true, databaseOf, amqpUrl },
  ];
  const measured = new Map<string, BacklogRound>();
  for (const { isTakenIn, ...options } of ways) {
    process.stderr.write(`orders: a backlog of ${events} events on ${options.name}\n`);
    await deleteQueues(amqpUrl);
    measured.set(options.name, await measureBacklog(options, { events, isTakenIn }));
  }
  return [figureTable([...measured].flatMap(figuresOf)), table(columns, [...measured].map(row))].join("\n\n");
}

function figuresOf([name, { relayPerSecond, caughtUp }]: readonly [string, BacklogRound]): Figure[] {
  const relay = {
    what: `relay of ${events} events on ${name}`,
    toReach: `≥ ${relayed}/s`,
    real: atLeast(relayed, relayPerSecond, `${relayPerSecond.toFixed(0)}/s`),
  };
  if (caughtUp === undefined) return [relay];
  const times = caughtUp.during.p99Ms / caughtUp.idle.p99Ms;
  return [
    relay,
    {
      what: `calls during the catch-up of ${events} events on ${name}, p99 ÷ idle p99`,
      toReach: `≤ ${timesIdle}`,
      real: atMost(timesIdle, times, times.toFixed(2)),
    },
  ];
}

const columns = ["backlog", "relay/s", "catch-up s", "events/s", "calls p99 ms", "idle p99 ms", "failed"];

function row([name, { relayPerSecond, caughtUp }]: readonly [string, BacklogRound]): string[] {
  const relay = [name, relayPerSecond.toFixed(0)];
  if (caughtUp === undefined) return [...relay, "", "", "", "", ""];
  const { perSecond, during, idle } = caughtUp;
  const rates = [(events / perSecond).toFixed(1), perSecond.toFixed(0)];
  return [...relay, ...rates, during.p99Ms.toFixed(2), idle.p99Ms.toFixed(2), String(during.failed + idle.failed)];
}
