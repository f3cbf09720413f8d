import { openDatabase } from "../../testing/open-database.ts";
import { ranged, type Spread, spread } from "../results.ts";
import { atLeast, atMost, type Figure, type Reading } from "../situations/figure.ts";
import { figureTable } from "../situations/page.ts";
import { table } from "../table.ts";
import { type BacklogRound, measureBacklog } from "./catch-up-run.ts";
import { cell } from "./cell.ts";
import { deleteQueues } from "./delete-queues.ts";

const events = 100_000;
/** What issue 6 asks for: events a second that the relay publishes, and how much slower calls may be meanwhile. */
const [relayed, timesIdle] = [5_000, 2];

/** Backlogs worked off, one after the other and all of them again: the tables of what it came to, as Markdown. */
export async function compareBacklogs({ amqpUrl, rounds }: { amqpUrl: string; rounds: number }): Promise<string> {
  await using opened = new AsyncDisposableStack();
  const databaseOf = async () => opened.use(await openDatabase("postgres")).databaseUrl;
  const ways = [
    { name: "SQLite, event stream", isTakenIn: true },
    { name: "PostgreSQL, event stream", isTakenIn: false, databaseOf },
    { name: "PostgreSQL, RabbitMQ", isTakenIn: true, databaseOf, amqpUrl },
  ];
  const measured = new Map<string, BacklogRound[]>(ways.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const { isTakenIn, ...options } of ways) {
      process.stderr.write(`orders: a backlog of ${events} events on ${options.name}, ${round} of ${rounds}\n`);
      await deleteQueues(amqpUrl);
      measured.get(options.name)?.push(await measureBacklog(options, { events, isTakenIn }));
    }
  }
  return [figureTable([...measured].flatMap(figuresOf)), table(columns, [...measured].map(row))].join("\n\n");
}

function figuresOf([name, rounds]: readonly [string, readonly BacklogRound[]]): Figure[] {
  const relay = spread(rounds.map(({ relayPerSecond }) => relayPerSecond));
  const times = spread(caughtUpIn(rounds).map(({ during, idle }) => during.p99Ms / idle.p99Ms));
  return [
    ...figure(relay, {
      what: `relay of ${events} events on ${name}`,
      toReach: `≥ ${relayed}/s`,
      read: ({ median }, text) => atLeast(relayed, median, `${text}/s`),
    }),
    ...figure(times, {
      what: `calls during the catch-up of ${events} events on ${name}, p99 ÷ idle p99`,
      toReach: `≤ ${timesIdle}`,
      read: ({ median }, text) => atMost(timesIdle, median, text),
      digits: 2,
    }),
  ];
}

interface Sought extends Pick<Figure, "what" | "toReach"> {
  read(over: Spread, text: string): Reading;
  readonly digits?: number;
}

/** Nothing where it was not measured. */
function figure(over: Spread | undefined, { read, digits = 0, ...sought }: Sought): Figure[] {
  return over === undefined ? [] : [{ ...sought, real: read(over, ranged(over, digits)) }];
}

const caughtUpIn = (rounds: readonly BacklogRound[]) => rounds.flatMap(({ caughtUp }) => caughtUp ?? []);

const columns = ["backlog", "relay/s", "catch-up s", "events/s", "calls p99 ms", "idle p99 ms", "failed"];

function row([name, rounds]: readonly [string, readonly BacklogRound[]]): string[] {
  const relay = [name, cell(rounds.map(({ relayPerSecond }) => relayPerSecond))];
  const caughtUp = caughtUpIn(rounds);
  if (caughtUp.length === 0) return [...relay, "", "", "", "", ""];
  return [
    ...relay,
    cell(caughtUp.map(({ perSecond }) => events / perSecond)),
    cell(caughtUp.map(({ perSecond }) => perSecond)),
    cell(
      caughtUp.map(({ during }) => during.p99Ms),
      2,
    ),
    cell(
      caughtUp.map(({ idle }) => idle.p99Ms),
      2,
    ),
    String(caughtUp.reduce((sum, { during, idle }) => sum + during.failed + idle.failed, 0)),
  ];
}
