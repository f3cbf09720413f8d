/** `make conformance`: what others have written to try HTTP/2 and RPC implementations, on each of our engines. */
import { parseArgs } from "node:util";
import { type EngineName, engineNames } from "../../wire/engines.ts";
import { connectSuite } from "./connect-suite.ts";
import { h2spec } from "./h2spec.ts";
import type { SuiteName } from "./known-failures.ts";
import { type Outcome, told, writeReport } from "./outcome.ts";

type Suite = (engine: EngineName) => Promise<Outcome[]>;

const suites: Readonly<Record<SuiteName, Suite>> = {
  h2spec,
  server: async (engine) => [await connectSuite("server", engine)],
  client: async (engine) => [await connectSuite("client", engine)],
};
const { values } = parseArgs({
  options: {
    engine: { type: "string", multiple: true, default: [...engineNames] },
    suite: { type: "string", multiple: true, default: Object.keys(suites) },
  },
});
const chosenEngines = engineNames.filter((name) => values.engine.includes(name));
const chosenSuites = Object.entries(suites).filter(([name]) => values.suite.includes(name));
if (chosenEngines.length === 0 || chosenSuites.length === 0) {
  throw new Error(`--engine takes ${engineNames.join(", ")}; --suite takes ${Object.keys(suites).join(", ")}`);
}

const outcomes: Outcome[] = [];
for (const [, suite] of chosenSuites) {
  for (const engine of chosenEngines) {
    for (const outcome of await suite(engine)) {
      console.log(told(outcome));
      outcomes.push(outcome);
    }
  }
}
if (process.env.HEDDLE_TEST_REPORT) writeReport(process.env.HEDDLE_TEST_REPORT, outcomes);
process.exitCode = outcomes.some(({ surprises }) => surprises.length > 0) ? 1 : 0;
