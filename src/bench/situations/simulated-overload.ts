import { stages, timeoutMs } from "./contract.ts";
import { type Course, goodput } from "./course.ts";
import { type OpenLoad, runOpenLoad } from "./open-loop.ts";
import { type OverloadCourse, overload, overloadSteps } from "./overload.ts";
import { replicaHandlers } from "./replica-handlers.ts";
import { inWorld } from "./simulated-trouble.ts";
import { Workers } from "./workers.ts";

/** Servers in simulated worlds: one that refuses what is too much, and one that takes what comes. */
export const simulatedServers = { heddle: {}, "heddle, no limits": { limits: false } } as const;

/** Eight workers of 48 answers a second each. */
const pool = { workers: 8, mood: { medianMs: 20 } };
const perWorker = 48;

/** How long each load is tried that may be the best, and which are, by what the pool can do. */
const searchMs = 4_000;
const searched = [0.85, 0.95, 1.05];

/** The overload in simulated worlds, of one kind of server: what waits there is not its event loop but the pool behind it. */
export async function simulatedOverload(server: keyof typeof simulatedServers): Promise<OverloadCourse> {
  const span = { fromMs: 0, toMs: searchMs };
  const tried: number[] = [];
  for (const ratio of searched) {
    const perSecond = ratio * pool.workers * perWorker;
    tried.push(goodput(await calls("heddle, no limits", [{ ...span, perSecond }]), span, timeoutMs));
  }
  const bestPerSecond = Math.max(...tried);
  return { bestPerSecond, course: await calls(server, overloadSteps(bestPerSecond)) };
}

async function calls(server: keyof typeof simulatedServers, steps: ReturnType<typeof overloadSteps>): Promise<Course> {
  const courses: Course[] = [];
  await inWorld(async (world) => {
    await world.serve(
      "back",
      ({ clock, random }) => [
        [stages.back, replicaHandlers({ clock, random, mood: () => pool.mood, workers: new Workers(pool.workers) })],
      ],
      { server: simulatedServers[server] },
    );
    const caller = await world.caller("caller");
    const client = caller.client(stages.back);
    const { clock } = caller.node ?? {};
    if (clock === undefined) throw new Error("the caller does not run");
    const zeroAt = clock.now() - (steps[0]?.fromMs ?? 0);
    const under = steps.map(async ({ fromMs, toMs, perSecond }) => {
      await clock.sleep(zeroAt + fromMs - clock.now());
      const load: OpenLoad = {
        fromAt: zeroAt + fromMs,
        toAt: zeroAt + toMs,
        zeroAt,
        perSecond,
        methods: overload.methods,
      };
      return runOpenLoad(clock, load, (method) => client[method]({ text: "" }));
    });
    courses.push(...(await Promise.all(under)));
  });
  return courses.flat();
}
