/** `make fuzz`: changes the examples for as long as it is told, led by which code runs. What breaks or is new is kept. */
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { keep } from "./corpus.ts";
import type { Harvest } from "./distil.ts";
import type { Figures, Report, Task } from "./run.ts";
import { targets } from "./targets.ts";

/** Without a new input for so long, the one that runs hangs. */
const hangMs = 20_000;
const pathOf = (path: string) => relative(process.cwd(), path);

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    target: { type: "string" },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error("--minutes is a number above 0, --seed a whole number");
if (values.target !== undefined && !targets.some(({ name }) => name === values.target)) {
  throw new Error(`--target is one of ${targets.map(({ name }) => name).join(", ")}`);
}

const desk = new SharedArrayBuffer(12 + 64 * 1024);
const task: Task = { seed, forMs: minutes * 60_000, only: values.target, desk };
console.log(`seed ${seed}, ${minutes} min`);
const worker = new Worker(new URL("./run.ts", import.meta.url), {
  workerData: task,
  resourceLimits: { maxOldGenerationSizeMb: 1_024 },
});

let toldAt = Date.now();
let broken = 0;
let last: readonly Figures[] = [];
worker.on("message", (report: Report) => {
  if (report.kind === "broken") {
    broken++;
    console.log(`BROKEN ${report.message}\n       kept as ${pathOf(report.path)}`);
    return;
  }
  last = report.pools;
  if (report.kind === "done") distil(report.harvest);
  else if (Date.now() - toldAt < 30_000) return;
  toldAt = Date.now();
  console.log(last.map(({ name, ran, found, seen }) => `${name} ${ran} (${found} new, ${seen} seen)`).join(" · "));
});
worker.on("error", (error) => stop(`the thread ended: ${error.message}`));
worker.on("exit", () => {
  clearInterval(watch);
  console.log(`${last.reduce((sum, { ran }) => sum + ran, 0)} inputs, ${broken} broken, seed ${seed}`);
  if (broken > 0) process.exitCode = 1;
});

function distil(harvest: Harvest): void {
  const distiller = new Worker(new URL("./distil.ts", import.meta.url), { workerData: harvest });
  distiller.on("message", (kept: string) => console.log(`kept in found.hex: ${kept}`));
}

/** The input that was running when all ended is the one to look at. */
function stop(reason: string): void {
  const [, number = 0, length = 0] = new Int32Array(desk, 0, 3);
  const bytes = Buffer.from(new Uint8Array(desk, 12, Math.min(length, 64 * 1024)));
  const { corpus, name } = targets[number] as (typeof targets)[number];
  const path = keep(corpus, { name: `broken-last-of-${seed}`, bytes }, reason);
  broken++;
  console.log(`BROKEN ${name}: ${reason}\n       kept as ${pathOf(path)}`);
}

let count = 0;
const watch = setInterval(() => {
  const now = Atomics.load(new Int32Array(desk), 0);
  if (now === count && now > 0) {
    stop(`nothing for ${hangMs / 1_000} s: a hang`);
    void worker.terminate();
  }
  count = now;
}, hangMs);
