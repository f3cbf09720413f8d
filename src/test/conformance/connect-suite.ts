import { join } from "node:path";
import type { EngineName } from "../../wire/engines.ts";
import { knownFailures } from "./known-failures.ts";
import type { Outcome, Surprise } from "./outcome.ts";
import { runTool } from "./run-tool.ts";

/** What of ours the suite tries; its own peer is the other side. */
export type Side = "server" | "client";

/** Runs all of Connect's conformance suite that applies to our server or our clients, over one engine. */
export async function connectSuite(side: Side, engine: EngineName): Promise<Outcome> {
  const known = knownFailures[engine][side].flatMap((one) => ["--known-failing", one.case]);
  const config = join(import.meta.dirname, `${side}.yaml`);
  const program = join(import.meta.dirname, `${side}.ts`);
  const args = ["--mode", side, "--conf", config, ...known, "--", process.execPath, program];
  const output = await runTool("connectconformance", args, { HEDDLE_HTTP2: engine });
  return { suite: `Connect conformance, ${side}, ${engine} engine`, ...read(output) };
}

/** What the suite says at its end: how many passed, which failed, and which did not although they are known to. */
function read(output: string): Omit<Outcome, "suite"> {
  const count = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  if (!/^\d+ passed, \d+ failed/m.test(output)) throw new Error(`the suite broke off:\n${output}`);
  const blocks = output.matchAll(/^FAILED: (.*?)(?::| was expected to fail but did not)\n((?:\t.*\n?)*)/gm);
  const surprises = [...blocks].map(
    ([, name = "", detail = ""]): Surprise => ({
      case: name,
      detail: detail.trim() || "passes: src/test/conformance/known-failures.ts need not list it any more",
    }),
  );
  const unrun = count(/^Another (\d+) could not be run/m);
  if (unrun > 0) surprises.push({ case: `${unrun} cases could not be run`, detail: "our program ended, or hung" });
  return { passed: count(/^(\d+) passed/m), known: count(/Another (\d+) failed as expected/), surprises };
}
