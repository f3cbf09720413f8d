import { Arrivals } from "./arrivals.ts";
import { stages } from "./contract.ts";
import type { Course } from "./course.ts";
import { replicaHandlers } from "./replica-handlers.ts";
import { call, inWorld } from "./simulated-trouble.ts";
import { type StormCourse, storm, stormTimes } from "./storm.ts";
import { Workers } from "./workers.ts";

/** The storm in a simulated world. */
export async function simulatedStorm(): Promise<StormCourse> {
  const arrivals: number[] = [];
  let course: Course = [];
  await inWorld(async (world) => {
    const pools: Workers[] = [];
    const noted = new Arrivals({ now: () => world.now });
    await world.serve(
      "back",
      ({ clock, random }) => {
        const workers = new Workers(storm.workers);
        pools.push(workers);
        return [[stages.back, replicaHandlers({ clock, random, mood: () => storm.mood, workers })]];
      },
      { replicas: storm.backs, server: { hooks: noted } },
    );
    for (const [stage, next] of [
      ["middle", "back"],
      ["front", "middle"],
    ] as const) {
      await world.serve(stage, ({ clock, random, mesh }) => {
        const client = mesh.client(stages[next]);
        const ask = (signal: AbortSignal) => client.read({ text: stage }, { signal });
        return [[stages[stage], replicaHandlers({ clock, random, mood: () => storm.fastMood, ask })]];
      });
    }
    const zeroMs = world.now + stormTimes.settleMs;
    const toMs = zeroMs + stormTimes.troubleMs + stormTimes.afterMs;
    const load = { perSecond: storm.perSecond, methods: ["read"], zeroMs, toMs } as const;
    const calling = call(world, { name: "heddle", stage: "front" }, load);
    await world.sleep(zeroMs - world.now);
    for (const pool of pools) pool.count = storm.workersLeft;
    await world.sleep(stormTimes.troubleMs);
    for (const pool of pools) pool.count = storm.workers;
    course = await calling;
    arrivals.push(...noted.times.map((at) => at - zeroMs));
  });
  return { course, arrivals };
}
