import { audit } from "../../cli/audit/audit.ts";
import { dice } from "../../testing/sim/dice.ts";
import { placeOrders } from "./place-orders.ts";
import { told } from "./report.ts";
import { fillShop, openStack, type StackName } from "./stack.ts";
import { killInTurn } from "./trouble.ts";

/** What a run does. */
export interface ChaosPlan {
  readonly stack: StackName;
  readonly orders: number;
  /** Orders that are under way at once. */
  readonly inFlight: number;
  /** What dies when, and what is ordered: the same seed throws the same dice, though not in the same world. */
  readonly seed: number;
  /** The longest that orders are placed; a run that needs more is not green. */
  readonly minutes: number;
}

/** What a run came to. */
export interface ChaosReport {
  readonly isGreen: boolean;
  readonly text: string;
}

/** How long what is under way may take to come to its end once everything lives. */
const settleMs = 120_000;

/** Starts a system, places orders while it is killed piece by piece, and audits it once all has come to rest. */
export async function runChaos(plan: ChaosPlan): Promise<ChaosReport> {
  const { stack: name, orders, inFlight, seed, minutes } = plan;
  process.stderr.write(`${name}: ${orders} orders, ${inFlight} at once, seed ${seed}\n`);
  let isShown = false;
  let show = () => {};
  await using stack = await openStack(name, (logs) => {
    show = logs;
  });
  try {
    const shop = await fillShop(stack);
    const calm = new AbortController();
    const chance = dice(seed);
    const beganAt = performance.now();
    let rounds = 0;
    const onRound = () => void rounds++;
    const killing = killInTurn(stack.victims, { dice: chance.fork("trouble"), signal: calm.signal, onRound });
    const signal = AbortSignal.timeout(minutes * 60_000);
    const about = { orders, inFlight, seed, signal, gateways: stack.gateways, ...shop };
    const placing = { ...about, dice: chance.fork("orders"), isCalm: () => rounds > 0 };
    const tally = await placeOrders(placing).finally(() => calm.abort());
    const ms = performance.now() - beganAt;
    const killings = await killing;
    const accepted = [...tally.accepted].map(([requestId, orderId]) => ({ requestId, orderId }));
    const found = await audit({ places: stack.places, accepted, waitMs: settleMs });
    const report = told({ plan, tally, ms, killings, found });
    isShown = report.isGreen;
    return report;
  } finally {
    if (!isShown) show();
  }
}
