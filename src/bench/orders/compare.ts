import { ranged, spread } from "../results.ts";
import { atLeast, atMost, type Figure } from "../situations/figure.ts";
import { figureTable } from "../situations/page.ts";
import { table } from "../table.ts";
import { cell } from "./cell.ts";
import { measureOrders, type OrdersRound } from "./measure.ts";
import { openSystems, pairs } from "./systems.ts";

/** How orders are measured. */
export interface OrdersRun {
  readonly rounds: number;
  /** How long one round places orders, at full speed and then again at half of it. */
  readonly ms: number;
  readonly warmUpMs: number;
  /** The broker that both stacks of RabbitMQ use. */
  readonly amqpUrl: string;
}

const inFlight = 32;
/** What issue 6 asks for. */
const [timesPlain, effectMs] = [2, 250];

/** Heddle's shop beside the plain one, in turn: the tables of what it came to, as Markdown. */
export async function compareOrders({ rounds, ms, warmUpMs, amqpUrl }: OrdersRun): Promise<string> {
  await using opened = new AsyncDisposableStack();
  const systems = await openSystems(opened, amqpUrl);
  for (const system of systems) await measureOrders(system, { inFlight, ms: warmUpMs });
  const measured = new Map<string, OrdersRound[]>(systems.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`orders: round ${round} of ${rounds}\n`);
    for (const system of round % 2 === 0 ? [...systems].reverse() : systems) {
      measured.get(system.name)?.push(await measureOrders(system, { inFlight, ms }));
    }
  }
  return [figureTable(figures(measured)), table(columns, [...measured].map(row))].join("\n\n");
}

function figures(measured: ReadonlyMap<string, readonly OrdersRound[]>): Figure[] {
  return pairs.flatMap(({ databases, heddle, plain }) => {
    const [own = [], other = []] = [measured.get(heddle), measured.get(plain)];
    const times = spread(own.map(({ perSecond }, i) => perSecond / (other[i]?.perSecond ?? Number.NaN)));
    const effect = spread(own.map(({ effectP99Ms }) => effectP99Ms));
    if (times === undefined || effect === undefined) return [];
    return [
      {
        what: `orders/s end to end on ${databases} ÷ plain`,
        toReach: `≥ ${timesPlain}`,
        real: atLeast(timesPlain, times.median, ranged(times, 2)),
      },
      {
        what: `commit to effect at half load on ${databases}, p99`,
        toReach: `≤ ${effectMs} ms`,
        real: atMost(effectMs, effect.median, `${ranged(effect, 0)} ms`),
      },
    ];
  });
}

const columns = ["", "orders/s", "p50 ms", "p99 ms", "effect p50 ms", "effect p99 ms", "failed"];

function row([name, rounds]: readonly [string, readonly OrdersRound[]]): string[] {
  return [
    name,
    cell(rounds.map(({ perSecond }) => perSecond)),
    cell(rounds.map(({ p50Ms }) => p50Ms)),
    cell(rounds.map(({ p99Ms }) => p99Ms)),
    cell(rounds.map(({ effectP50Ms }) => effectP50Ms)),
    cell(rounds.map(({ effectP99Ms }) => effectP99Ms)),
    String(rounds.reduce((sum, { failed }) => sum + failed, 0)),
  ];
}
