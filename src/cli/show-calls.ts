import type { CallSummary } from "../mesh/explained-call.ts";
import { explanationText, spanText } from "../mesh/explanation-text.ts";
import type { Made, Told } from "./ask-calls.ts";
import type { CallNode } from "./call-tree.ts";
import type { Tone } from "./paint.ts";
import { typed } from "./plan.ts";
import type { Screen } from "./screen.ts";
import { type Cell, type Column, table } from "./table.ts";

/** The calls of a trace, each with who made it and below the one on whose behalf that was; or why there are none. */
export function showTree(traceId: string, tree: readonly CallNode[], out: Screen): void {
  if (tree.length > 0) {
    out.line(`trace ${traceId}\n`);
    for (const node of tree) showNode(node, out, 0);
    return;
  }
  out.line(`Nobody remembers a call of trace ${traceId}.`);
  out.line(
    "Every process remembers the latest 1,024 calls that it made, and as many of those that failed, were repeated",
  );
  out.line("or waited. What is older is forgotten, and so are the calls of a process that has ended.");
}

function showNode({ by, call, below }: CallNode, out: Screen, depth: number): void {
  const indent = "    ".repeat(depth);
  const behalf = depth === 0 ? "" : out.paint("dim", ", on behalf of the call above");
  out.line(`${indent}${out.paint("strong", by.name)} at ${by.address}${behalf}`);
  const { traceId: _, ...rest } = call; // said once for all of them
  const [head = "", ...lines] = explanationText(rest).split("\n");
  out.line(`${indent}  ${out.paint(toneOf(call), head)}`);
  for (const line of lines) out.line(line === "" ? "" : `${indent}  ${line}`);
  out.line();
  for (const node of below) showNode(node, out, depth + 1);
}

/** Those that could not be asked, and why. */
export function showSilent(silent: Told<unknown>["silent"], out: Screen): void {
  for (const { name, address, why } of silent) {
    out.line(`${out.paint("warn", "could not be asked:")} ${name} at ${address} (${why})`);
  }
}

/** So many are shown. */
const shown = 20;

const columns: readonly Column[] = [
  { title: "began" },
  { title: "by" },
  { title: "call" },
  { title: "outcome" },
  { title: "took", align: "right" },
  { title: "attempts", align: "right" },
  { title: "trace" },
];

/** The latest calls that did not go straight to their answer, the last to begin first. */
export function showLatest(latest: readonly Made<CallSummary>[], out: Screen): void {
  if (latest.length === 0) return out.line("No call of late has failed, was repeated or waited.");
  out.line(table(columns, latest.slice(0, shown).map(row), { paint: out.paint }));
  if (latest.length > shown) out.line(`\n  and ${latest.length - shown} before them: --json shows all`);
  const command = typed("explain");
  out.line(`\nWhat happened to one of them: ${command} ${command.startsWith("make") ? "ARGS=<trace>" : "<trace>"}`);
}

function row({ by, call }: Made<CallSummary>): Cell[] {
  const { startedAt, method, outcome, totalMs, attempts, traceId = "-" } = call;
  const began = new Date(startedAt).toISOString().slice(11, 23);
  const called = method.slice(method.lastIndexOf(".") + 1);
  const told = { text: outcome, tone: toneOf(call) };
  return [began, `${by.name} ${by.address}`, called, told, spanText(totalMs), String(attempts), traceId];
}

function toneOf({ outcome }: Pick<CallSummary, "outcome">): Tone {
  if (["answered", "streaming", "under way"].includes(outcome)) return "good";
  return outcome === "fallback" ? "warn" : "bad";
}
