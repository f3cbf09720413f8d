/** `make simulate`: worlds of one seed after the other, until told enough; or one of them, with all that happens in it. */
import { parseArgs } from "node:util";
import { runWorld } from "../../testing/sim/simulate.ts";
import { properties } from "./properties.ts";
import type { Property } from "./property.ts";
import type { WorldReport } from "./slice.ts";
import { runWorlds, threads } from "./threads.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    minutes: { type: "string", default: "5" },
    property: { type: "string" },
    text: { type: "boolean", default: false },
  },
});
const chosen = properties.filter(({ name }) => values.property === undefined || values.property === name);
if (chosen.length === 0) throw new Error(`--property is one of ${properties.map(({ name }) => name).join(", ")}`);
const first = Number(values.seed ?? 1);
const isOne = values.seed !== undefined && values.seeds === undefined;
const seeds = Number(values.seeds ?? 1_000);
const minutes = Number(values.minutes);
if (!Number.isInteger(first) || !(seeds > 0) || !(minutes > 0)) throw new Error("--seed, --seeds, --minutes: numbers");

for (const property of chosen) {
  if (isOne) await replay(property, first);
  else await runMany(property, (minutes * 60_000) / chosen.length);
}

/** One world, at length: what happened around its failure, or all of it. */
async function replay({ name, scenario, world }: Property, seed: number): Promise<void> {
  const { problem, text, around, sum } = await runWorld({ ...world, seed, notesOrigins: true }, scenario);
  if (values.text) console.log(text);
  else if (problem !== undefined) console.log(around);
  console.log(`${name} of seed ${seed}, sum ${sum}: ${problem === undefined ? "as it should be" : problem.message}`);
  if (problem !== undefined) process.exitCode = 1;
}

/** Many worlds, on all cores. */
async function runMany({ name }: Property, forMs: number): Promise<void> {
  const total = { worlds: 0, events: 0, ms: 0, broken: 0 };
  const beganAt = performance.now();
  const take = ({ seed, events, ms, problem }: WorldReport) => {
    total.worlds++;
    total.events += events;
    total.ms += ms;
    if (problem === undefined) return;
    total.broken++;
    process.exitCode = 1;
    console.log(`BROKEN ${name}: ${problem}\n       make simulate ARGS="--property ${name} --seed ${seed}"`);
  };
  await runWorlds({ property: name, first, seeds, forMs }, take);
  const tookMs = performance.now() - beganAt;
  const each = (of: number) => Math.round(of / total.worlds);
  console.log(
    `${name}: ${total.worlds} worlds, ${total.broken} broken; each ${each(total.events)} events in ${each(total.ms / 1_000)} s ` +
      `of its own time; ${Math.round((total.worlds / tookMs) * 60_000)} worlds a minute on ${threads} threads`,
  );
}
