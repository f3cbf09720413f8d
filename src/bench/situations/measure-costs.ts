import { measurePicks } from "../pick.ts";
import type { Results, Spread } from "../results.ts";
import { atMost, type Figure, holds, type Reading } from "./figure.ts";

/** What calls and picks may cost where nothing goes wrong. */
const mostUs = 3;
const mostNs = 1_000;
/** Less than this is no object: it is what the collector's own bookkeeping comes to. */
const noBytes = 1;

/** What the mesh costs a call that succeeds, and what a pick costs: by the rounds of "policy-stack", and measured now. */
export function measureCosts(results: Results): { readonly figures: readonly Figure[]; readonly picks: string[][] } {
  const picks = measurePicks();
  const large = picks.filter(({ candidates }) => candidates === 1_000);
  const slowest = Math.max(...large.map(({ nsPerPick }) => nsPerPick));
  const heaviest = Math.max(...large.map(({ bytesPerPick }) => bytesPerPick));
  const figures: Figure[] = [
    {
      what: "policy stack on a call that succeeds, over the bare wire",
      toReach: "≤ 3 µs",
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
  const spread = results.compare({ ...place, peer }, bare, (own, other) => own.cpuUs - other.cpuUs);
  return atMost(mostUs, spread?.median ?? Number.NaN, spread === undefined ? "" : inUs(spread));
}

function inUs({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} [${min.toFixed(2)}..${max.toFixed(2)}] µs`;
}
