import { setTimeout as sleep } from "node:timers/promises";
import { type Placed, placeInFlight, placeSteadily } from "./load.ts";
import type { System } from "./system.ts";

/** What one round of one system came to. */
export interface OrdersRound {
  /** From the first request until the last order has come to its end everywhere. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** At half of that: from commit to effect. */
  readonly effectP50Ms: number;
  readonly effectP99Ms: number;
  readonly failed: number;
}

/** How long and how hard. */
export interface OrdersLoad {
  readonly inFlight: number;
  readonly ms: number;
}

const longestWaitMs = 120_000;

/** Orders at full speed until they have come to their end everywhere, then at half of that speed. */
export async function measureOrders(system: System, { inFlight, ms }: OrdersLoad): Promise<OrdersRound> {
  const before = await system.ended();
  const beganAt = performance.now();
  const full = await placeInFlight(system.shop, { inFlight, ms });
  await allEnded(system, before + full.accepted);
  const perSecond = (full.accepted * 1_000) / (performance.now() - beganAt);
  const since = new Date();
  const half = await placeSteadily(system.shop, { perSecond: perSecond / 2, ms });
  await allEnded(system, before + full.accepted + half.accepted);
  for (const placed of [full, half]) tellFailures(system.name, placed);
  const delays = [...(await system.delaysMs(since))].sort((a, b) => a - b);
  return {
    perSecond,
    p50Ms: shareAt(full.tookMs, 0.5),
    p99Ms: shareAt(full.tookMs, 0.99),
    effectP50Ms: shareAt(delays, 0.5),
    effectP99Ms: shareAt(delays, 0.99),
    failed: full.failed + half.failed,
  };
}

/** Beside the table, which only counts them. */
function tellFailures(name: string, { failures }: Placed): void {
  for (const [why, count] of failures) process.stderr.write(`orders: ${name}: ${count} × ${why}\n`);
}

async function allEnded(system: System, wanted: number): Promise<void> {
  const giveUpAt = performance.now() + longestWaitMs;
  for (;;) {
    const ended = await system.ended();
    if (ended >= wanted) return;
    if (performance.now() > giveUpAt) throw new Error(`${system.name}: ${ended} of ${wanted} orders came to their end`);
    await sleep(50);
  }
}

/** The value below which this share of sorted values lies. */
export function shareAt(sorted: readonly number[], ratio: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * ratio))] ?? Number.NaN;
}
