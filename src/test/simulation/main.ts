/** `make simulate`: worlds of one seed after the other, until told enough or one of them is not as it should be. */
import { parseArgs } from "node:util";
import { runWorld } from "../../testing/sim/simulate.ts";
import { properties } from "./properties.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string" },
    minutes: { type: "string", default: "60" },
    property: { type: "string" },
    text: { type: "boolean", default: false },
  },
});
const chosen = properties.filter(({ name }) => values.property === undefined || values.property === name);
if (chosen.length === 0) throw new Error(`--property is one of ${properties.map(({ name }) => name).join(", ")}`);
const first = Number(values.seed);
const seeds = Number(values.seeds ?? 1);
const endsAt = performance.now() + Number(values.minutes) * 60_000;

for (const property of chosen) {
  const beganAt = performance.now();
  const total = { worlds: 0, events: 0, ms: 0, failed: 0 };
  for (let seed = first; seed < first + seeds && performance.now() < endsAt; seed++) {
    const options = { ...property.world, seed, notesOrigins: seeds === 1 };
    const { problem, text, around, sum, events, ms } = await runWorld(options, property.scenario);
    total.worlds++;
    total.events += events;
    total.ms += ms;
    if (seeds === 1) console.log(`${property.name} of seed ${seed}: sum ${sum}`);
    if (values.text) console.log(text);
    else if (seeds === 1 && problem !== undefined) console.log(around);
    if (problem === undefined) continue;
    total.failed++;
    console.log(
      `BROKEN ${property.name}: ${problem.message}\n       make simulate ARGS="--property ${property.name} --seed ${seed}"`,
    );
  }
  const tookMs = performance.now() - beganAt;
  const a = (of: number) => Math.round(of / total.worlds);
  console.log(
    `${property.name}: ${total.worlds} worlds, ${total.failed} broken; each ${(tookMs / total.worlds).toFixed(1)} ms, ` +
      `${a(total.events)} events, ${a(total.ms / 1_000)} s of its own time; ${Math.round((total.worlds / tookMs) * 60_000)} a minute`,
  );
  if (total.failed > 0) process.exitCode = 1;
}
