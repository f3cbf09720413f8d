/** The part of `make fuzz` that runs the inputs, in a thread of its own so that a hang can be seen from outside. */
import { performance } from "node:perf_hooks";
import { parentPort, workerData } from "node:worker_threads";
import { crc32 } from "node:zlib";
import { examples, keep } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { Dice } from "./dice.ts";
import type { Harvest } from "./distil.ts";
import { Broken, shrink } from "./fuzz.ts";
import { mutate } from "./mutate.ts";
import { Pool } from "./pool.ts";

/** What the thread is told. */
export interface Task {
  readonly seed: number;
  readonly forMs: number;
  /** The only target to run, or all of them. */
  readonly only: string | undefined;
  /** Where the thread leaves the input it is running: how many it has run, the target's number, the length, the bytes. */
  readonly desk: SharedArrayBuffer;
}

/** What the thread tells. */
export type Report =
  | { readonly kind: "progress"; readonly pools: readonly Figures[] }
  | { readonly kind: "done"; readonly pools: readonly Figures[]; readonly harvest: Harvest }
  | { readonly kind: "broken"; readonly message: string; readonly path: string };

/** How far a target has come: inputs run, those that led somewhere new, and how many places and signs were seen. */
export interface Figures {
  readonly name: string;
  readonly ran: number;
  readonly found: number;
  readonly seen: number;
}

/** Inputs of one target before it is another's turn. */
const turn = 300;
/** Kinds of breakage after which there is enough to mend. */
const maxBroken = 10;

const task = workerData as Task;
const tell = (report: Report) => parentPort?.postMessage(report);
const coverage = new Coverage();
const { targets } = await import("./targets.ts");
const dice = new Dice(task.seed);
const [state, bytesAtDesk] = [new Int32Array(task.desk, 0, 3), new Uint8Array(task.desk, 12)];
const broken = new Set<string>();

function attempt(pool: Pool, bytes: Buffer, from: string): void {
  bytesAtDesk.set(bytes.subarray(0, bytesAtDesk.length));
  state[1] = targets.indexOf(pool.target);
  state[2] = bytes.length;
  Atomics.add(state, 0, 1);
  try {
    pool.try(bytes, from, dice);
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    noteBroken(pool, error);
  }
}

function noteBroken(pool: Pool, error: Broken): void {
  const kind = `${pool.target.name} ${String(error.cause).replace(/\d+/g, "#").slice(0, 80)}`;
  if (broken.has(kind)) return;
  broken.add(kind);
  const bytes = shrink(pool.target, error);
  const path = keep(pool.target.corpus, { name: `broken-${hash(bytes)}`, bytes }, `${error.cause}`.slice(0, 300));
  tell({ kind: "broken", message: error.message.slice(0, 2_000), path });
}

const hash = (bytes: Buffer) => crc32(bytes).toString(16).padStart(8, "0");
const figures = (): Figures[] =>
  pools.map(({ target, ran, found, seenCount }) => ({ name: target.name, ran, found, seen: seenCount }));

const pools = targets
  .filter(({ name }) => task.only === undefined || task.only === name)
  .map((target) => new Pool(target, coverage));
for (const pool of pools) for (const { name, bytes } of examples(pool.target)) attempt(pool, bytes, name);

const until = performance.now() + task.forMs;
while (performance.now() < until && broken.size < maxBroken) {
  const pool = dice.pick(pools.flatMap((one) => new Array<Pool>(Math.min(one.inputs.length, 100)).fill(one)));
  for (let i = 0; i < turn && performance.now() < until; i++) {
    const bytes = mutate(pool.target, dice, { example: pool.pick(dice), other: pool.pick(dice) });
    attempt(pool, bytes, `seed ${task.seed}, input ${pool.ran}`);
  }
  tell({ kind: "progress", pools: figures() });
}
tell({ kind: "done", pools: figures(), harvest: new Map(pools.map(({ target, inputs }) => [target.name, inputs])) });
