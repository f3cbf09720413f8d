import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { engineNames } from "../../../wire/engines.ts";
import type { Holdings } from "./ledger.ts";

/** Rounds before the first look, so that what is made once is there, and rounds whose leavings are looked for. */
const [warmUp, rounds] = [10, 32];

/** Without compilers and with all that was parsed kept, a heap of equal content has nearly equal size. */
const steady = ["--no-opt", "--no-maglev", "--no-sparkplug", "--no-flush-bytecode"];

/** Kibibytes by which the heap may still differ: five times what it does. A call that leaves 300 bytes is above it. */
const noiseKib = 1_024;

interface Churned {
  readonly before: Holdings;
  readonly after: Holdings;
  readonly atFirst: Omit<Holdings, "kib">;
  readonly atLast: Omit<Holdings, "kib">;
  readonly tally: Readonly<Record<string, number>>;
}

async function churn(engine: string): Promise<Churned> {
  const program = join(import.meta.dirname, "churn.ts");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--expose-gc", "--expose-internals", ...steady, program, String(warmUp), String(rounds)],
    { env: { PATH: process.env.PATH, HEDDLE_HTTP2: engine }, timeout: 110_000 }, // it ends by itself, or this rejects
  );
  return JSON.parse(stdout) as Churned;
}

/** Timers that are there or not: Node's clock for "date", and one for all deadlines of a port, of a mesh, and of plain sessions. */
const comingAndGoing = 4;

test.each(engineNames)(
  "an hour of calls, cancels, resets and reconnects leaves nothing behind (%s)",
  async (engine) => {
    const { before, after, atFirst, atLast, tally } = await churn(engine);
    const { kib, resources, ...counts } = after;
    const { kib: kibBefore, resources: resourcesBefore, ...countsBefore } = before;
    expect({ ...counts, timers: 0 }).toEqual({ ...countsBefore, timers: 0 });
    expect(counts.timers).toBeLessThanOrEqual(countsBefore.timers + comingAndGoing);
    expect(resources).toBe(resourcesBefore);
    expect(kib - kibBefore).toBeLessThan(noiseKib);
    expect(atLast).toEqual(atFirst);
    expect(tally.unary).toBeGreaterThan(4_000);
    expect(tally.answered).toBeGreaterThan(500); // most of them, unless circuits open because the machine is slow
  },
);
