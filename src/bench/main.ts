/** `make bench`: Heddle beside its peers in one run, alternating, medians of several rounds. Trust the ratios. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { measureAllOrders } from "./orders/measure-all.ts";
import { picture } from "./picture.ts";
import { buildPrograms } from "./programs.ts";
import { markdown, writtenBy } from "./report.ts";
import { Results } from "./results.ts";
import type { Rig } from "./rig.ts";
import { measureRouting } from "./routing.ts";
import { type Scenario, type ScenarioName, scenarioNames, scenarios } from "./scenarios.ts";
import { measureSituations } from "./situations/measure.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "0.7" },
    "warm-up": { type: "string", default: "1.5" },
    only: { type: "string", default: [...scenarioNames, "situations", "orders"].join(",") },
  },
});
const [rounds = 0, ms = 0, warmUpMs = 0] = [
  Number(values.rounds),
  Number(values.seconds) * 1_000,
  Number(values["warm-up"]) * 1_000,
];
if (!(Number.isInteger(rounds) && rounds > 0 && ms > 0 && warmUpMs > 0)) {
  throw new Error("--rounds has to be a whole number above 0, --seconds and --warm-up any number above 0");
}
const asked = new Set(values.only.split(","));
const hasOrders = asked.delete("orders");
const hasSituations = asked.delete("situations");
if (hasSituations) asked.add("policy-stack"); // what the mesh costs where nothing goes wrong
const chosen = [...asked] as ScenarioName[];
const unknown = chosen.filter((name) => !scenarioNames.includes(name));
if (unknown.length > 0) {
  throw new Error(`--only ${unknown.join(",")}: there is ${scenarioNames.join(", ")}, situations, orders`);
}

await buildPrograms();
const command = ["make bench", ...argsTold()].join(" ");
const results = new Results();
for (const name of chosen) await run(name, scenarios[name]);
const routing = chosen.includes("gateways") ? measureRouting() : [];
const told = markdown(results, { rounds, ms, command }, routing);
process.stdout.write(`\n${told}`);
if (chosen.length === scenarioNames.length) {
  writeFileSync(`${import.meta.dirname}/results.md`, told);
  writeFileSync(`${import.meta.dirname}/results.svg`, picture(results));
}
if (hasSituations) process.stdout.write(`\n${await measureSituations(results, () => writtenBy(command))}\n`);
if (hasOrders) process.stdout.write(`\n${await measureAllOrders({ rounds, written: writtenBy(command) })}\n`);

/** All peers are opened and warmed up first; then they take turns, so that a slow minute hits all of them. */
async function run(name: ScenarioName, scenario: Scenario): Promise<void> {
  using rigs = new DisposableStack();
  const opened = new Map<string, Rig>();
  for (const peer of scenario.peers) {
    const rig = rigs.use(await scenario.open(peer));
    await rig.measure({ ms: warmUpMs, inFlight: Math.min(32, scenario.inFlight.at(-1) ?? 1) });
    opened.set(peer, rig);
  }
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`${name}: round ${round} of ${rounds}\n`);
    for (const inFlight of scenario.inFlight) {
      const turns = [...opened];
      if (round % 2 === 0) turns.reverse();
      for (const [peer, rig] of turns) {
        results.add({ scenario: name, inFlight, peer }, await rig.measure({ ms, inFlight }));
      }
    }
  }
}

function argsTold(): string[] {
  const given = process.argv.slice(2);
  return given.length === 0 ? [] : [`ARGS="${given.join(" ")}"`];
}
