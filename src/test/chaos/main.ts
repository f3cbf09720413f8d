/** `make chaos`: places orders at full speed while everything is killed in turn, and counts what was lost. */
import { parseArgs } from "node:util";
import { runChaos } from "./run-chaos.ts";
import { type StackName, stackNames } from "./stack.ts";

const { values } = parseArgs({
  options: {
    orders: { type: "string", default: "20000" },
    "in-flight": { type: "string", default: "32" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e6)) },
    minutes: { type: "string", default: "15" },
    stack: { type: "string", default: stackNames.join(",") },
  },
});
const [orders, inFlight, seed, minutes] = [values.orders, values["in-flight"], values.seed, values.minutes].map(Number);
for (const [name, value] of Object.entries({ orders, "in-flight": inFlight, minutes })) {
  if (!(Number(value) > 0)) throw new Error(`--${name} has to be a number above 0`);
}
const chosen = values.stack.split(",") as StackName[];
const unknown = chosen.filter((name) => !stackNames.includes(name));
if (unknown.length > 0) throw new Error(`--stack ${unknown.join(",")}: there is ${stackNames.join(", ")}`);

for (const stack of chosen) {
  const plan = { stack, orders: orders ?? 0, inFlight: inFlight ?? 0, seed: seed ?? 0, minutes: minutes ?? 0 };
  const { isGreen, text } = await runChaos(plan);
  process.stdout.write(`${text}\n`);
  if (!isGreen) process.exitCode = 1;
}
