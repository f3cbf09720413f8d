import type { BalancerName } from "../../mesh/balance/balancers.ts";
import { runWorld, type Scenario } from "../../testing/sim/simulate.ts";
import type { World } from "../../testing/sim/world.ts";
import { type StageName, stages } from "./contract.ts";
import type { Course } from "./course.ts";
import { type OpenLoad, runOpenLoad } from "./open-loop.ts";
import { replicaHandlers } from "./replica-handlers.ts";
import { type Courses, type Trouble, times } from "./trouble.ts";

/** The seed of all simulated situations: whoever runs them sees the same. */
const seed = 1;

/** Callers in simulated worlds, and how they choose: other clients do not run there, so round robin is the mesh's own. */
export const simulatedPeers: Readonly<Record<string, BalancerName | undefined>> = {
  heddle: undefined,
  "round robin": "round-robin",
};

/** Runs a scenario in a world of the fixed seed; rejects if it does. */
export async function inWorld(scenario: Scenario): Promise<void> {
  const { problem } = await runWorld({ seed, maxEvents: 20_000_000 }, scenario);
  if (problem !== undefined) throw problem;
}

/** The trouble in a simulated world. Silent is a machine that nothing reaches, and of which nothing is heard. */
export async function simulatedTrouble(trouble: Trouble): Promise<Courses> {
  let courses: Courses = new Map();
  await inWorld(async (world) => {
    let mood = trouble.usual;
    const { replicas } = await world.serve(
      "back",
      ({ replica, clock, random }) => {
        const moodOf = () => (replica.number === 1 ? mood : trouble.usual);
        return [[stages.back, replicaHandlers({ clock, random, mood: moodOf })]];
      },
      { replicas: trouble.replicas, server: { limits: false } },
    );
    const zeroMs = world.now + times.settleMs;
    const toMs = zeroMs + times.troubleMs + times.afterMs;
    const { perSecond, methods } = trouble;
    const calling = Object.entries(simulatedPeers).map(async ([name, balance]) => {
      const course = await call(world, { name, balance }, { perSecond, methods, zeroMs, toMs });
      return [name, course] as const;
    });
    await world.sleep(zeroMs - world.now);
    const { first } = trouble;
    const end = first === "silent" ? world.strike({ kind: "black hole", host: replicas[0]?.name ?? "" }) : undefined;
    if (first !== "silent") mood = first;
    await world.sleep(times.troubleMs);
    mood = trouble.usual;
    await end?.();
    courses = new Map(await Promise.all(calling));
  });
  return courses;
}

/** A load from now on, by the world's time. */
export interface WorldLoad extends Pick<OpenLoad, "perSecond" | "methods"> {
  readonly zeroMs: number;
  readonly toMs: number;
}

interface CallerOf {
  readonly name: string;
  readonly balance?: BalancerName | undefined;
  /** Default: the last of the chain. */
  readonly stage?: StageName;
}

/** A machine that makes the calls. */
export async function call(
  world: World,
  { name, balance, stage = "back" }: CallerOf,
  load: WorldLoad,
): Promise<Course> {
  const fromMs = world.now;
  const caller = await world.caller(name.replaceAll(" ", "-"), balance && { balance });
  const client = caller.client(stages[stage]);
  const { clock } = caller.node ?? {};
  if (clock === undefined) throw new Error(`${name} does not run`);
  const at = (ms: number) => clock.now() + ms - world.now;
  const { perSecond, methods, zeroMs, toMs } = load;
  const open: OpenLoad = { perSecond, methods, fromAt: at(fromMs), zeroAt: at(zeroMs), toAt: at(toMs) };
  return runOpenLoad(clock, open, (method) => client[method]({ text: name }));
}
