import { systemClock } from "../../base/clock.ts";
import { Child } from "../child.ts";
import type { Addresses } from "../load.ts";
import type { StageName } from "./contract.ts";
import type { Course } from "./course.ts";
import type { OpenLoad } from "./open-loop.ts";
import type { ReplicaOrder, ReplicaPlan } from "./replica-plan.ts";
import { type StormCourse, storm, stormTimes } from "./storm.ts";

interface Chain {
  readonly backs: readonly Child[];
  readonly caller: Child;
}

/**
 * The storm on real processes, a chain of them for each peer, all in the same moments. The servers are Heddle's, and
 * those of other peers' chains refuse nothing: what there is against storms is then in their clients.
 */
export async function realStorm(peers: readonly string[]): Promise<ReadonlyMap<string, StormCourse>> {
  using children = new DisposableStack();
  const chains = await Promise.all(peers.map((peer) => openChain(peer, children)));
  const fromAt = systemClock.now() + 200;
  const zeroAt = fromAt + stormTimes.settleMs;
  const toAt = zeroAt + stormTimes.troubleMs + stormTimes.afterMs;
  const load: OpenLoad = { fromAt, toAt, zeroAt, perSecond: storm.perSecond, methods: ["read"] };
  const courses = Promise.all(chains.map(({ caller }) => caller.ask<Course>([load])));
  const backs = chains.flatMap((chain) => chain.backs);
  await systemClock.sleep(zeroAt - systemClock.now());
  await tell(backs, { workers: storm.workersLeft });
  await systemClock.sleep(zeroAt + stormTimes.troubleMs - systemClock.now());
  await tell(backs, { workers: storm.workers });
  const told = await courses;
  const all = chains.map(async (chain, index) => {
    const arrivals = (await tell(chain.backs, { arrivals: true })) as number[][];
    return [
      peers[index] ?? "",
      { course: told[index] ?? [], arrivals: arrivals.flat().map((at) => at - zeroAt) },
    ] as const;
  });
  return new Map(await Promise.all(all));
}

function tell(replicas: readonly Child[], order: ReplicaOrder): Promise<unknown[]> {
  return Promise.all(replicas.map((replica) => replica.ask(order)));
}

async function openChain(peer: string, children: DisposableStack): Promise<Chain> {
  const open = async (plan: Omit<ReplicaPlan, "sheds">) => {
    const whole: ReplicaPlan = { ...plan, sheds: peer === "heddle" };
    const child = children.use(new Child("other", "situations/replica", JSON.stringify(whole)));
    return { child, ...(await child.answer<{ address: string }>()) };
  };
  const hop = (stage: StageName, addresses: Addresses) =>
    open({ stage, mood: storm.fastMood, seed: 1, next: { peer, addresses } });
  const { mood, workers } = storm;
  const backs = await Promise.all([1, 2].map((seed) => open({ stage: "back", mood, seed, workers })));
  const middle = await hop("middle", backs.map(({ address }) => address) as unknown as Addresses);
  const front = await hop("front", [middle.address]);
  const caller = children.use(new Child("measured", "situations/caller", peer, "front", front.address));
  await caller.answer();
  return { backs: backs.map(({ child }) => child), caller };
}
