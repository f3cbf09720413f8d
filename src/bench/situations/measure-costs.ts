import { Child } from "../child.ts";
import { measurePicks } from "../pick.ts";
import { type Results, ranged, type Spread, spread } from "../results.ts";
import { atMost, type Figure, holds, type Reading } from "./figure.ts";
import type { StackCosts } from "./stack.ts";

/** What calls and picks may cost where nothing goes wrong. */
const mostUs = 3;
const mostNs = 1_000;
/** Less than this is no object: it is what the collector's own bookkeeping comes to. */
const noBytes = 1;

/** What was found. */
export interface Costs {
  readonly figures: readonly Figure[];
  /** Balancer, candidates, nanoseconds, bytes. */
  readonly picks: readonly (readonly string[])[];
}

/** What the mesh costs a call that succeeds, and what a pick costs: by the rounds of "policy-stack", and, without a wire that takes its time, measured now. */
export async function measureCosts(results: Results): Promise<Costs> {
  const { heddle, full } = await measureStack();
  const picks = measurePicks();
  const large = picks.filter(({ candidates }) => candidates === 1_000);
  const slowest = Math.max(...large.map(({ nsPerPick }) => nsPerPick));
  const heaviest = Math.max(...large.map(({ bytesPerPick }) => bytesPerPick));
  const figures: Figure[] = [
    {
      what: "policy stack on a call that succeeds, over the bare wire",
      toReach: "≤ 3 µs",
      simulated: cost(spread(heddle)),
      real: stack(results, "heddle", "wire"),
    },
    {
      what: "the same, over the wire with Connect, validation, deadline and trace",
      toReach: "≤ 3 µs",
      real: stack(results, "heddle", "wire + steps"),
    },
    {
      what: "the same, all on: hedge, attempt timeout, load reports, metrics",
      toReach: "≤ 3 µs",
      simulated: cost(spread(full)),
      real: stack(results, "heddle, all on", "wire"),
    },
    {
      what: "pick among 1,000, the slowest balancer",
      toReach: "≤ 1 µs",
      real: atMost(mostNs, slowest, `${slowest.toFixed(0)} ns`),
    },
    {
      what: "the same: memory, the balancer that takes most",
      toReach: "no allocation",
      real: holds(heaviest < noBytes, `${heaviest.toFixed(1)} B`),
    },
  ];
  const rows = picks.map(({ balancer, candidates, nsPerPick, bytesPerPick }) => [
    balancer,
    `${candidates}`,
    nsPerPick.toFixed(0),
    bytesPerPick.toFixed(1),
  ]);
  return { figures, picks: rows };
}

function stack(results: Results, peer: string, under: string): Reading {
  const place = { scenario: "policy-stack", inFlight: 32 } as const;
  const bare = { ...place, peer: under };
  return cost(results.compare({ ...place, peer }, bare, (own, other) => own.cpuUs - other.cpuUs));
}

function cost(us: Spread | undefined): Reading {
  return atMost(mostUs, us?.median ?? Number.NaN, us === undefined ? "" : inUs(us));
}

async function measureStack(): Promise<StackCosts> {
  using child = new Child("measured", "situations/stack");
  await child.answer();
  return await child.ask<StackCosts>("measure");
}

function inUs(cost: Spread): string {
  return `${ranged(cost, 2)} µs`;
}
