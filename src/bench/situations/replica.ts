/** A replica, as a process of its own: `replica PLAN`, the plan as JSON. Told a mood, or how many work, it follows. */
import { systemClock } from "../../base/clock.ts";
import { seededRandom } from "../../base/random.ts";
import { openServer } from "../../server/serve.ts";
import { answerParent } from "../answer-parent.ts";
import { Arrivals } from "./arrivals.ts";
import { nextOf, stages } from "./contract.ts";
import { openPeer } from "./peers/open-peer.ts";
import { busyHandlers, type Mood, replicaHandlers } from "./replica-handlers.ts";
import type { ReplicaOrder, ReplicaPlan } from "./replica-plan.ts";
import { Workers } from "./workers.ts";

const plan = JSON.parse(process.argv[2] ?? "") as ReplicaPlan;
const workers = plan.workers === undefined ? undefined : new Workers(plan.workers);
const arrivals = new Arrivals(systemClock);
const next = nextOf[plan.stage];
const below = plan.next && next && (await openPeer(plan.next.peer, stages[next], plan.next.addresses));
let { mood } = plan;
const handlers =
  "turns" in mood
    ? busyHandlers(mood.turns)
    : replicaHandlers({
        clock: systemClock,
        random: seededRandom(plan.seed),
        mood: () => mood as Mood,
        workers,
        ask: below && ((signal) => below("read", signal)),
      });
const server = await openServer({
  services: [[stages[plan.stage], handlers]],
  hooks: arrivals,
  ...(!plan.sheds && { limits: false }),
});
answerParent({
  ready: { address: `127.0.0.1:${server.port}` },
  onMessage: async (order) => told(order as ReplicaOrder),
});

function told(order: ReplicaOrder): unknown {
  if ("mood" in order) mood = order.mood;
  else if ("arrivals" in order) return arrivals.times;
  else if (workers !== undefined) workers.count = order.workers;
  return {};
}
