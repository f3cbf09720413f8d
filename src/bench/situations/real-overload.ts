import { systemClock } from "../../base/clock.ts";
import { Child } from "../child.ts";
import { timeoutMs } from "./contract.ts";
import { type Course, goodput, type Span } from "./course.ts";
import type { OpenLoad } from "./open-loop.ts";
import { type OverloadCourse, overload, overloadSteps } from "./overload.ts";
import { compute } from "./replica-handlers.ts";
import type { ReplicaPlan } from "./replica-plan.ts";

/** Servers, each with its own client. All compute for a millisecond for each call. */
const servers = {
  heddle: { program: "situations/replica", peer: "heddle", sheds: true },
  "heddle, no limits": { program: "situations/replica", peer: "heddle", sheds: false },
  "grpc-js": { program: "situations/grpc-js-replica", peer: "grpc-js", sheds: false },
} as const;

/** Their names. */
export type ServerName = keyof typeof servers;

/** How long each load is tried that may be the best, and which are, in calls a second: more and more, until it is too much. */
const searchMs = 1_500;
const searched = [200, 400, 500, 600, 700, 800, 900];
const muchRatio = 0.97;

/** The overload of one real server, which has one CPU to itself; whoever calls it has the other. */
export async function realOverload(name: ServerName): Promise<OverloadCourse> {
  const { program, peer, sheds } = servers[name];
  using children = new DisposableStack();
  const plan: ReplicaPlan = { stage: "back", mood: { turns: turnsOfAMillisecond() }, seed: 1, sheds };
  const server = children.use(new Child("measured", program, JSON.stringify(plan)));
  const { address } = await server.answer<{ address: string }>();
  const caller = children.use(new Child("other", "situations/caller", peer, "back", address));
  await caller.answer();
  const calls = async (steps: readonly (Span & { readonly perSecond: number })[]) => {
    const zeroAt = systemClock.now() + 100 - (steps[0]?.fromMs ?? 0);
    const loads = steps.map(
      ({ fromMs, toMs, perSecond }): OpenLoad => ({
        ...{ perSecond, zeroAt, methods: overload.methods },
        ...{ fromAt: zeroAt + fromMs, toAt: zeroAt + toMs },
      }),
    );
    return caller.ask<Course>(loads);
  };
  const tried: number[] = [];
  for (const perSecond of searched) {
    const span = { fromMs: 0, toMs: searchMs };
    tried.push(goodput(await calls([{ ...span, perSecond }]), span, timeoutMs));
    if ((tried.at(-1) ?? 0) < muchRatio * perSecond) break;
  }
  const bestPerSecond = Math.max(...tried);
  return { bestPerSecond, course: await calls(overloadSteps(bestPerSecond)) };
}

/** The quickest of several tries: others may run on the machine. */
function turnsOfAMillisecond(): number {
  const turns = 1e6;
  const times = Array.from({ length: 50 }, () => {
    const startedAt = performance.now();
    compute(turns);
    return performance.now() - startedAt;
  });
  return Math.round(turns / Math.min(...times));
}
