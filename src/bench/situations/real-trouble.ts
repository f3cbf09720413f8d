import { systemClock } from "../../base/clock.ts";
import { Child } from "../child.ts";
import type { Course } from "./course.ts";
import type { OpenLoad } from "./open-loop.ts";
import type { ReplicaOrder, ReplicaPlan } from "./replica-plan.ts";
import { type Courses, type Trouble, times } from "./trouble.ts";

/**
 * The trouble on real processes: replicas on one CPU, callers on the other, all in the same moments and
 * each at the full rate, so that what the machine does meanwhile it does to all of them. Silent is a process that the
 * system does not let run: SIGSTOP. Servers refuse nothing: what is told apart here is their callers.
 */
export async function realTrouble(trouble: Trouble, peers: readonly string[]): Promise<Courses> {
  using children = new DisposableStack();
  const open = (side: "measured" | "other", ...args: [string, ...string[]]) => children.use(new Child(side, ...args));
  const replicas = await Promise.all(
    Array.from({ length: trouble.replicas }, async (_, index) => {
      const plan: ReplicaPlan = { stage: "back", mood: trouble.usual, seed: index + 1, sheds: false };
      const child = open("other", "situations/replica", JSON.stringify(plan));
      return { child, ...(await child.answer<{ address: string }>()) };
    }),
  );
  const addresses = replicas.map(({ address }) => address).join(",");
  const callers = peers.map((peer) => open("measured", "situations/caller", peer, "back", addresses));
  await Promise.all(callers.map((caller) => caller.answer()));

  const fromAt = systemClock.now() + 200;
  const zeroAt = fromAt + times.settleMs;
  const toAt = zeroAt + times.troubleMs + times.afterMs;
  const load: OpenLoad = { fromAt, toAt, zeroAt, perSecond: trouble.perSecond, methods: trouble.methods };
  const courses = Promise.all(callers.map((caller) => caller.ask<Course>([load])));
  const first = replicas[0]?.child;
  await systemClock.sleep(zeroAt - systemClock.now());
  await change(first, trouble.first);
  await systemClock.sleep(zeroAt + times.troubleMs - systemClock.now());
  first?.goOn();
  await change(first, trouble.usual);
  return new Map((await courses).map((course, index) => [peers[index] ?? "", course]));
}

async function change(replica: Child | undefined, to: Trouble["first"]): Promise<void> {
  if (to === "silent") replica?.standStill();
  else await replica?.ask({ mood: to } satisfies ReplicaOrder);
}
