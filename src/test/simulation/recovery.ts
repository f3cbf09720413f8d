import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { breakerPresets } from "../../call/policy.ts";
import type { Served, World } from "../../testing/sim/world.ts";
import { Back } from "./hop.ts";
import { holds, type Property } from "./property.ts";
import { Ledger, type Moods, stage, well } from "./stage.ts";

const { openMs, maxOpenMs } = breakerPresets.default;

/** Time for what a circuit does not decide: a connection, a health probe, the next pick; and the registry's next check. */
const aroundMs = { mood: 1_500, fault: 13_000 };

/** How long a circuit may still be open, once its replica is well after failing for so long: each opening doubles, with jitter. */
const openAfterMs = (failedMs: number) => Math.min(maxOpenMs, failedMs + openMs) * 1.1;

/** The balancer holds a failure against a replica for so long (DESIGN §4). */
const penaltyFadeMs = 10_000;

/** Milliseconds between two calls. */
const paceMs = 25;

/** A replica that failed and is well again is used again; and while one is well, nobody is told that none is. */
export const recovery: Property = {
  name: "recovery",
  says: "a replica that is well again gets traffic within its breaker's time; one that is well is never refused for others",
  async scenario(world) {
    const ledger = new Ledger();
    const moods: Moods = new Map();
    const serving = stage({ ledger, moods, now: () => world.now });
    const backs = await world.serve("back", (on) => [[Back, serving(on)]], { replicas: world.random.between(2, 6) });
    const caller = await world.caller("caller");
    const client = caller.client(Back);
    const refusals: string[] = [];
    const load = steady(world, async (id) => {
      const method = world.random.oneOf(["get", "make", "put"] as const);
      await client[method]({ id }).catch((reason) => {
        if (isRefusal(reason))
          refusals.push(`call ${id} was refused at ${world.now} ms: ${ConnectError.from(reason).message}`);
      });
    });
    await world.sleep(1_000);
    const kinds = world.random.chance(0.5) ? (["mood"] as const) : faultKinds;
    const failedMs = await failSome(world, backs, moods, kinds);
    const wellAt = world.now;
    const withinMs = openAfterMs(failedMs) + penaltyFadeMs + aroundMs[kinds === faultKinds ? "fault" : "mood"];
    const used = (name: string) => ledger.timesOf(name).some((at) => at > wellAt);
    while (!backs.replicas.every(({ name }) => used(name)) && world.now < wellAt + withinMs) await world.sleep(100);
    await load.stop();
    const unused = backs.replicas.map(({ name }) => name).filter((name) => !used(name));
    holds(unused.length === 0, `${unused} failed for ${failedMs} ms, and got nothing within ${withinMs} ms after`);
    holds(refusals.length === 0, `${refusals.length} calls were refused although a replica was well; ${refusals[0]}`);
  },
};

const faultKinds = ["mood", "crash", "power off", "black hole", "drain", "pause"] as const;

/** Lets all but one at the least fail, each in its own way, for a while. Resolves when all are well, with how long it was. */
async function failSome(
  world: World,
  backs: Served,
  moods: Moods,
  kinds: readonly (typeof faultKinds)[number][],
): Promise<number> {
  const dice = world.random;
  const beganAt = world.now;
  const some = backs.replicas.slice(0, dice.between(1, backs.replicas.length - 1));
  const forMs = dice.oneOf([800, 3_000, 7_000, 15_000]);
  await Promise.all(
    some.map(async ({ name }) => {
      const kind = dice.oneOf(kinds);
      const end = kind === "mood" ? sulk(world, moods, name) : world.strike({ kind, host: name });
      await world.sleep(forMs);
      await end();
    }),
  );
  return world.now - beganAt;
}

function sulk(world: World, moods: Moods, name: string): () => Promise<void> {
  const code = world.random.oneOf([Code.Unavailable, Code.Internal, Code.ResourceExhausted]);
  world.tell(`${name} fails every call with ${Code[code]}`);
  moods.set(name, { failRatio: 1, code, ms: world.random.oneOf([1, 50, 1_500]) });
  return async () => {
    world.tell(`${name} is well again`);
    moods.set(name, well);
  };
}

function steady(world: World, call: (id: string) => Promise<void>) {
  let isOver = false;
  const under: Promise<void>[] = [];
  const running = (async () => {
    for (let i = 0; !isOver; i++) {
      under.push(call(`${i}`));
      await world.sleep(paceMs);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await running;
      await Promise.all(under);
    },
  };
}

/** Whether a call was refused because circuits are open, or nobody is there. */
function isRefusal(reason: unknown): boolean {
  const details = ConnectError.from(reason).findDetails(ErrorInfoSchema);
  return details.some((info) => info.domain === "heddle" && refusals.has(info.reason));
}

const refusals = new Set(["CIRCUIT_OPEN", "NO_ENDPOINT"]);
