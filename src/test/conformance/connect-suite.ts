import { join } from "node:path";
import type { EngineName } from "../../wire/engines.ts";
import { knownFailures } from "./known-failures.ts";
import type { Outcome, Surprise } from "./outcome.ts";
import { runTool } from "./run-tool.ts";

/** What of ours the suite tries; its own peer is the other side. */
export type Side = "server" | "client";

/** So many failures may be a busy machine's, since some cases are timed; they get a second try, by themselves. */
const maxSecondTries = 10;

/** Runs all of Connect's conformance suite that applies to our server or our clients, over one engine. */
export async function connectSuite(side: Side, engine: EngineName): Promise<Outcome> {
  const suite = `Connect conformance, ${side}, ${engine} engine`;
  const known = knownFailures[engine][side].flatMap((one) => [
    one.isFlaky ? "--known-flaky" : "--known-failing",
    one.case,
  ]);
  const { passed, known: expected, failed, stale } = await run(side, engine, known);
  if (failed.length === 0 || failed.length > maxSecondTries) {
    return { suite, passed, known: expected, surprises: [...failed, ...stale] };
  }
  const again = await run(
    side,
    engine,
    failed.flatMap((one) => ["--run", one.case]),
  );
  const surprises = [...again.failed, ...stale];
  return { suite, passed: passed + again.passed, known: expected, surprises, secondTries: failed.length };
}

/** What the suite says at its end. */
interface Verdict {
  readonly passed: number;
  readonly known: number;
  readonly failed: readonly Surprise[];
  /** What passed although it is known to fail. */
  readonly stale: readonly Surprise[];
}

async function run(side: Side, engine: EngineName, options: readonly string[]): Promise<Verdict> {
  const config = join(import.meta.dirname, `${side}.yaml`);
  const program = join(import.meta.dirname, `${side}.ts`);
  const args = ["--mode", side, "--conf", config, ...options, "--", process.execPath, program];
  return read(await runTool("connectconformance", args, { HEDDLE_HTTP2: engine }));
}

function read(output: string): Verdict {
  const count = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  if (!/^\d+ passed, \d+ failed/m.test(output)) throw new Error(`the suite broke off:\n${output}`);
  const stale = [...output.matchAll(/^FAILED: (.*) was expected to fail but did not$/gm)].map(([, name = ""]) => ({
    case: name,
    detail: "passes: src/test/conformance/known-failures.ts need not list it any more",
  }));
  const blocks = output.matchAll(/^FAILED: (.*):\n((?:\t.*\n?)*)/gm);
  const failed = [...blocks].map(([, name = "", detail = ""]) => ({ case: name, detail: detail.trim() }));
  const unrun = count(/^Another (\d+) could not be run/m);
  if (unrun > 0) failed.push({ case: `${unrun} cases could not be run`, detail: "our program ended, or hung" });
  return { passed: count(/^(\d+) passed/m), known: count(/Another (\d+) failed as expected/), failed, stale };
}
