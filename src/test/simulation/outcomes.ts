import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { Caller } from "../../testing/sim/caller.ts";
import type { Dice } from "../../testing/sim/dice.ts";
import type { World } from "../../testing/sim/world.ts";
import { Back, Front, type Hop, Middle, maxAttempts, repeatable, timeoutMs } from "./hop.ts";
import { holds, type Property } from "./property.ts";
import { Ledger, type Moods, stage, well } from "./stage.ts";

/** What a deadline may be late by: the clock's tick, and a timer's. */
const tickMs = 2;

/** Calls of one world. */
const calls = 60;

/** While things go wrong, every call ends by its deadline, once, and is processed as often as it may be. */
export const outcomes: Property = {
  name: "outcomes",
  says: "a call ends by its deadline with one outcome, is processed as often as its contract allows, and leaves nothing",
  async scenario(world) {
    const ledger = new Ledger();
    const moods: Moods = new Map();
    const chain = { ledger, moods, now: () => world.now };
    const depth = world.random.between(1, 3);
    const back = stage(chain);
    await world.serve("back", (on) => [[Back, back(on)]], { replicas: world.random.between(1, 4) });
    const middle = stage({ ...chain, next: Back });
    if (depth > 1)
      await world.serve("middle", (on) => [[Middle, middle(on)]], { replicas: world.random.between(1, 2) });
    const front = stage({ ...chain, next: Middle });
    if (depth > 2) await world.serve("front", (on) => [[Front, front(on)]], { replicas: 2 });

    const count = new HookCount();
    const caller = await world.caller("caller", { hooks: count });
    const first = caller.client([Back, Middle, Front][depth - 1] as Hop);
    const trouble = world.trouble({ withinMs: 15_000 });
    void moodiness(world, moods);
    const under: Promise<void>[] = [];
    for (let i = 0; i < calls; i++) {
      const one = oneCall(world, caller, first, world.random, `${i}`);
      world.meanwhile(one);
      under.push(one);
      await world.sleep(world.random.between(0, 2 * (15_000 / calls)));
    }
    await Promise.all([...under, trouble]);
    holds(count.ended === count.started, `${count.started} calls began, ${count.ended} ended`);
    holds(count.started === calls, `${calls} calls were made, ${count.started} began`);
    assertProcessed(ledger, depth);
    await assertNoStreams(world);
  },
};

/** Replicas that fail or are slow for a while, beside what goes wrong with machines. */
async function moodiness(world: World, moods: Moods): Promise<void> {
  const dice = world.random.fork("moods");
  for (let i = dice.between(0, 4); i > 0; i--) {
    const { name } = dice.oneOf(world.replicas);
    await world.sleep(dice.between(0, 4_000));
    const code = dice.oneOf([Code.Unavailable, Code.ResourceExhausted, Code.Internal, Code.Aborted]);
    const mood = { failRatio: dice.oneOf([0, 0.3, 1]), code, ms: dice.oneOf([1, 20, 350, 3_000]) };
    world.tell(`${name}: ${mood.failRatio} of its calls fail with ${Code[code]}, after about ${mood.ms} ms`);
    moods.set(name, mood);
    void world.sleep(dice.between(500, 8_000)).then(() => moods.set(name, well));
  }
}

async function oneCall(world: World, caller: Caller, client: Client<Hop>, dice: Dice, id: string): Promise<void> {
  const method = dice.oneOf(["get", "put", "race", "make", "follow"] as const);
  const asked = dice.oneOf([undefined, undefined, 30, 300, 3_000, 9_000]);
  const allowedMs = asked ?? (method === "follow" ? 4_000 : timeoutMs[method]);
  const leaving = new AbortController();
  const beganAt = world.now;
  if (dice.chance(0.1)) void world.sleep(dice.between(0, 500)).then(() => leaving.abort());
  const options = { signal: leaving.signal, ...(method === "follow" || asked ? { timeoutMs: allowedMs } : {}) };
  const ended = await called(client, method, id, options).then(
    () => "ok",
    (reason) => ConnectError.from(reason).message,
  );
  const tookMs = world.now - beganAt;
  world.chronicle.tell(caller.name, `${method} ${id} of ${allowedMs} ms: ${ended} after ${tookMs.toFixed(3)} ms`);
  holds(tookMs <= allowedMs + tickMs, `call ${id} (${method}) had ${allowedMs} ms and ended after ${tookMs} ms`);
}

async function called(
  client: Client<Hop>,
  method: "get" | "put" | "race" | "make" | "follow",
  id: string,
  options: { readonly signal: AbortSignal; readonly timeoutMs?: number },
): Promise<void> {
  if (method !== "follow") return void (await client[method]({ id }, options));
  for await (const _ of client.follow({ id, count: 10 }, options));
}

/**
 * How often a handler may begin: what is sent beyond the contract was provably not processed, and of each stage above only
 * the first attempt may be repeated below.
 */
function assertProcessed(ledger: Ledger, depth: number): void {
  for (const [key, count] of ledger.begun) {
    const [service, method, id] = key.split(" ") as [string, string, string];
    const above = depth - 1 - ["back", "middle", "front"].indexOf(service);
    const most = isRepeatable(method) ? maxAttempts + above * (maxAttempts - 1) : 1;
    holds(count <= most, `call ${id} (${method}) was processed ${count} times by ${service}, and may be ${most} times`);
  }
}

/** Time in which the news that a call was given up is sent again, over paths that were cut. */
const newsMs = 40_000;

/** No stream is left of calls that have ended: those to the registry, which watch and renew, go on. */
async function assertNoStreams(world: World): Promise<void> {
  const endsAt = world.now + newsMs;
  const left = () =>
    world.machines.flatMap(({ name, node }) => {
      if (node === undefined || node.name === world.registry.name) return [];
      const open = [...world.network.openStreamsOf(node.process)].filter(([to]) => to !== world.registry.name);
      return open.map(([to, count]) => `${name} has ${count} to ${to}`);
    });
  while (left().length > 0 && world.now < endsAt) await world.sleep(100);
  holds(left().length === 0, `streams are left of calls that have ended: ${left().join("; ")}`);
}

function isRepeatable(method: string): boolean {
  return method === "follow" ? false : repeatable[method as keyof typeof repeatable];
}

class HookCount {
  started = 0;
  ended = 0;

  readonly callStarted = () => {
    this.started++;
  };

  readonly callEnded = () => {
    this.ended++;
  };
}
