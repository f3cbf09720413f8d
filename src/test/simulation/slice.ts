/** One thread's share of `make simulate`: every so many-th seed, until time is up. */
import { parentPort, workerData } from "node:worker_threads";
import { runWorld } from "../../testing/sim/simulate.ts";
import { properties } from "./properties.ts";

/** What a thread is to run. */
export interface Slice {
  readonly property: string;
  /** The first seed, the one after the last, and how far apart they are. */
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly forMs: number;
}

/** What a world came to. */
export interface WorldReport {
  readonly seed: number;
  readonly events: number;
  readonly ms: number;
  /** What it was not to be. */
  readonly problem: string | undefined;
}

const { property: name, from, to, step, forMs } = workerData as Slice;
const property = properties.find((one) => one.name === name);
if (property === undefined) throw new RangeError(`there is no property ${name}`);
const endsAt = performance.now() + forMs;
for (let seed = from; seed < to && performance.now() < endsAt; seed += step) {
  const { problem, events, ms } = await runWorld({ ...property.world, seed }, property.scenario);
  parentPort?.postMessage({ seed, events, ms, problem: problem?.message } satisfies WorldReport);
}
