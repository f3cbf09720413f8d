import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Slice, WorldReport } from "./slice.ts";

/** Which worlds of which property, and for how long at the most. */
export interface WorldsOptions {
  readonly property: string;
  readonly first: number;
  readonly seeds: number;
  readonly forMs: number;
}

/** How many threads run worlds at once. */
export const threads = availableParallelism();

/** Runs worlds on all cores, and tells what each came to, in no order. Rejects if a thread breaks. */
export async function runWorlds(options: WorldsOptions, told: (report: WorldReport) => void): Promise<void> {
  const { property, first, seeds, forMs } = options;
  const slices = Array.from({ length: threads }, (_, index): Slice => {
    return { property, from: first + index, to: first + seeds, step: threads, forMs };
  });
  await Promise.all(
    slices.map(async (workerData) => {
      const worker = new Worker(new URL("./slice.ts", import.meta.url), { workerData });
      worker.on("message", told);
      const [code] = await once(worker, "exit"); // rejects with what the thread threw
      if (code !== 0) throw new Error(`a thread of ${property} ended with ${code}`);
    }),
  );
}
