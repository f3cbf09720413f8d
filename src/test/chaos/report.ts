import type { Audit } from "../../cli/audit/audit.ts";
import type { ChaosPlan, ChaosReport } from "./run-chaos.ts";
import type { Tally } from "./tally.ts";
import type { Killing } from "./trouble.ts";

/** All that a run has seen. */
export interface Seen {
  readonly plan: ChaosPlan;
  readonly tally: Tally;
  /** How long orders were placed. */
  readonly ms: number;
  readonly killings: readonly Killing[];
  readonly found: Audit;
}

const maxLines = 10;

/** What a run came to, in words: green when every order was accepted in time, and the audit finds nothing wrong or under way. */
export function told({ plan, tally, ms, killings, found }: Seen): ChaosReport {
  const { stack, orders, seed } = plan;
  const missing = Math.max(orders, tally.placed) - tally.accepted.size;
  const isGreen = missing === 0 && tally.late.length === 0 && tally.wrong.length === 0 && found.verdict === "right";
  const lines = [
    `${stack}: ${isGreen ? "GREEN" : "RED"}, seed ${seed}`,
    `  ${tally.accepted.size} of ${tally.placed} orders accepted in ${seconds(ms)} (${rate(tally.accepted.size, ms)}/s), ${tally.cancelled} of them cancelled`,
    `  ${tally.requests} requests; accepted ones took ${percentile(tally.tookMs, 0.5)} ms (p50), ${percentile(tally.tookMs, 0.99)} ms (p99)`,
    `  failed clearly and asked again: ${counts(tally.failed)}`,
    `  ${killings.length} killings: ${counts(countBy(killings))}`,
    ...listed("late", tally.late),
    ...listed("wrong", tally.wrong),
    ...found.findings.map(
      ({ rule, checked, wrong, underWay }) => `  ${rule}: ${checked} checked, ${wrong} wrong, ${underWay} under way`,
    ),
    ...found.findings.flatMap(({ rule, examples }) => listed(rule, examples)),
  ];
  return { isGreen, text: lines.join("\n") };
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
const rate = (count: number, ms: number) => Math.round((count * 1_000) / ms);

function percentile(values: readonly number[], ratio: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * ratio))] ?? Number.NaN);
}

function countBy(killings: readonly Killing[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { name } of killings) found.set(name, (found.get(name) ?? 0) + 1);
  return found;
}

function counts(kinds: ReadonlyMap<string, number>): string {
  const sorted = [...kinds].sort(([, a], [, b]) => b - a);
  return sorted.map(([kind, count]) => `${count} × ${kind}`).join(", ") || "none";
}

function listed(what: string, lines: readonly string[]): string[] {
  const shown = lines.slice(0, maxLines).map((line) => `  ${what}: ${line}`);
  return lines.length > maxLines ? [...shown, `  ${what}: and ${lines.length - maxLines} more`] : shown;
}
