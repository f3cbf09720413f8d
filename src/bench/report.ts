import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { canPin } from "./child.ts";
import { type Results, ranged, type Spread } from "./results.ts";
import type { Round } from "./rig.ts";
import type { RoutingRow } from "./routing.ts";
import { type Scenario, type ScenarioName, scenarioNames, scenarios } from "./scenarios.ts";
import { table } from "./table.ts";
import { shortfall, type Target, targets, verdictOf } from "./targets.ts";

/** How the run was made. */
export interface RunInfo {
  readonly rounds: number;
  readonly ms: number;
  readonly command: string;
}

/** All that was measured, as Markdown that reads well as plain text too. */
export function markdown(results: Results, info: RunInfo, routing: readonly RoutingRow[] = []): string {
  const parts = scenarioNames.flatMap((name) => [...scenarioTables(name, results), ...firstInterceptor(name, results)]);
  const all = ["# Heddle beside its peers", aboutRun(info), targetTable(results), ...parts, ...routingTable(routing)];
  return `${all.join("\n\n")}\n`;
}

/** When, where and by what command a page was written. */
export function writtenBy(command: string): string {
  const day = new Date().toISOString().slice(0, 10);
  const machine = `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model.trim()}`;
  return `Written by \`${command}\` on ${day}, at ${commit()}: ${machine}.`;
}

/** The same, and how the run was made, in words. */
export function aboutRun({ rounds, ms, command }: RunInfo): string {
  const pinned = canPin
    ? "What is measured has CPU 0 to itself; all that it needs runs on CPU 1."
    : "Processes are not pinned to CPUs.";
  return [
    writtenBy(command),
    `${pinned} Medians of ${rounds} rounds of ${ms} ms in which all peers take turns, [lowest..highest];`,
    "ratios are of rounds that were next to each other. One connection where nothing else is said; all peers use",
    "protobuf-es, but for `node:http2`, which sends constant bytes and decodes nothing. `CPU µs` is what a call cost the",
    "measured process, in a stream a message; `other` is how busy everything on the other CPU was. `by CPU` is the same",
    "ratio taken from `CPU µs`.",
  ].join("\n");
}

function commit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" }).trim();
  } catch {
    return "no commit"; // a copy without history
  }
}

/** What is to be reached, and what was; without the lines of which nothing was measured. */
export function targetTable(results: Results): string {
  const rows = targets.flatMap((target) => {
    const spread = target.measured(results);
    if (spread === undefined) return [];
    const [sign, unit] = [target.isLess ? "≤" : "≥", target.unit === "µs" ? " µs" : ""];
    const wanted = [target.must, target.aim].map((value) => `${sign} ${value}${unit}`);
    const byCpu = target.byCpu?.(results)?.median.toFixed(2) ?? "";
    return [[target.name, `${ranged(spread, 2)}${unit}`, byCpu, ...wanted, verdictText(target, spread)]];
  });
  return rows.length === 0 ? "" : table(["Heddle", "measured", "by CPU", "must", "aim", ""], rows);
}

function verdictText(target: Target, spread: Spread): string {
  const verdict = verdictOf(target, spread);
  return verdict === "MISSED" ? `MISSED by ${(shortfall(target, spread) * 100).toFixed(0)} %` : verdict;
}

function scenarioTables(name: ScenarioName, results: Results): string[] {
  const scenario: Scenario = scenarios[name];
  return scenario.inFlight.flatMap((inFlight) => {
    const rows = scenario.peers.flatMap((peer) => {
      const figures = figuresOf({ scenario: name, inFlight, peer });
      return figures === undefined ? [] : [[peer, ...figures]];
    });
    const header = [scenario.title, scenario.unit, "÷ heddle", "CPU µs", "p50 ms", "p99 ms", "RSS MB", "other"];
    return rows.length === 0
      ? []
      : [`## ${scenario.title}: ${inFlight} in flight\n\n${table(header.with(0, ""), rows)}`];
  });

  function figuresOf(place: { scenario: ScenarioName; inFlight: number; peer: string }): string[] | undefined {
    const rate = results.figure(place, ({ perSecond }) => perSecond * scenario.unitsPerCall);
    if (rate === undefined) return undefined;
    const first = { ...place, peer: scenario.peers[0] ?? "" };
    const share = results.compare(place, first, (own, other) => own.perSecond / other.perSecond);
    const text = (figure: (round: Round) => number, digits: number) =>
      results.figure(place, figure)?.median.toFixed(digits) ?? "";
    return [
      ranged(rate, 0),
      share?.median.toFixed(2) ?? "",
      text(({ cpuUs }) => cpuUs / scenario.unitsPerCall, scenario.unitsPerCall > 1 ? 2 : 1),
      text(({ p50Ms }) => p50Ms, 2),
      text(({ p99Ms }) => p99Ms, 2),
      text(({ rssMb }) => rssMb, 0),
      `${text(({ otherRatio }) => otherRatio * 100, 0)} %`,
    ];
  }
}

/** What it costs to have interceptors at all: the call as Connect shows it is made for the first one. */
function firstInterceptor(scenario: ScenarioName, results: Results): string[] {
  const place = { scenario, inFlight: 32 };
  const [one, none] = [
    { ...place, peer: "heddle + 1" },
    { ...place, peer: "heddle" },
  ];
  const step = results.compare(one, none, (a, b) => a.cpuUs - b.cpuUs);
  return step === undefined ? [] : [`The first of them costs ${ranged(step, 1)} µs.`];
}

/** What it costs to find a request's route, and whether the slowest kind among the most routes is as fast as it must be. */
function routingTable(routing: readonly RoutingRow[]): string[] {
  if (routing.length === 0) return [];
  const most = Math.max(...routing.map(({ routes }) => routes));
  const slowest = Math.max(...routing.filter(({ routes }) => routes === most).map(({ nsPerFind }) => nsPerFind));
  const verdict = slowest <= mostNsPerFind ? "met" : "MISSED";
  const rows = routing.map(({ request, routes, nsPerFind, bytesPerFind }) => [
    request,
    `${routes}`,
    nsPerFind.toFixed(0),
    bytesPerFind.toFixed(0),
  ]);
  return [
    "## Gateways, finding the route of a request",
    table(["", "routes", "CPU ns", "bytes"], rows),
    `Among ${most} routes the slowest takes ${slowest.toFixed(0)} ns; it must be ≤ ${mostNsPerFind} ns: ${verdict}.`,
  ];
}

const mostNsPerFind = 1_000;
