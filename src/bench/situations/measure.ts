import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Results } from "../results.ts";
import { chart } from "./chart.ts";
import { measureCosts } from "./measure-costs.ts";
import { measureOverload } from "./measure-overload.ts";
import { measureStorm } from "./measure-storm.ts";
import { measureTrouble } from "./measure-trouble.ts";
import { figureTable, page } from "./page.ts";
import type { Situation } from "./situation.ts";
import { type TroubleName, troubles } from "./troubles.ts";

const measures: Readonly<Record<string, () => Promise<Situation>>> = {
  ...Object.fromEntries((Object.keys(troubles) as TroubleName[]).map((name) => [name, () => measureTrouble(name)])),
  "retry storm": measureStorm,
  overload: measureOverload,
};

/**
 * Measures all situations, one after the other, and writes the page of them and its pictures; answers the table of what
 * is to be reached. `results` holds the rounds of "policy-stack".
 */
export async function measureSituations(results: Results, written: () => string): Promise<string> {
  const situations: Situation[] = [];
  for (const [name, measure] of Object.entries(measures)) {
    process.stderr.write(`${name}: simulated and real\n`);
    situations.push(await measure());
  }
  const { figures, picks } = await measureCosts(results);
  const { dirname } = import.meta;
  for (const { name, title, panels, times } of situations)
    writeFileSync(join(dirname, `${name}.svg`), chart(title, panels, times));
  writeFileSync(join(dirname, "results.md"), page(situations, { written: written(), costs: figures, picks }));
  return figureTable([...situations.flatMap((each) => each.figures), ...figures]);
}
