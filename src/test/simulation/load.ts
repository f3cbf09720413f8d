import { Code } from "@connectrpc/connect";
import type { World } from "../../testing/sim/world.ts";
import { Back, Front, Middle } from "./hop.ts";
import { holds, type Property } from "./property.ts";
import { Ledger, type Moods, stage } from "./stage.ts";

/** What a client may send again: a share of its calls, and a few a second so that a quiet one may at all (DESIGN §4). */
const budgetRatio = 0.2;
const floorPerSecond = 3;

/** The window over which a budget counts, in seconds: what it allows of its floor may be spent at once. */
const windowSeconds = 10;

/** A service that fails is not brought down by those who try again: the whole chain together stays within one budget. */
export const load: Property = {
  name: "load",
  says: "the load sent to a failing service stays below 1 + budget times the offered load, through three hops",
  async scenario(world) {
    const ledger = new Ledger();
    const moods: Moods = new Map();
    const chain = { ledger, moods, now: () => world.now };
    const [back, middle, front] = [stage(chain), stage({ ...chain, next: Back }), stage({ ...chain, next: Middle })];
    const backs = await world.serve("back", (on) => [[Back, back(on)]], { replicas: world.random.between(1, 4) });
    await world.serve("middle", (on) => [[Middle, middle(on)]], { replicas: world.random.between(1, 2) });
    await world.serve("front", (on) => [[Front, front(on)]], { replicas: world.random.between(1, 2) });
    const caller = await world.caller("caller");
    const client = caller.client(Front);
    const failRatio = world.random.oneOf([0.2, 0.45, 0.7, 1]);
    const code = world.random.oneOf([Code.Unavailable, Code.Unavailable, Code.ResourceExhausted]);
    const ms = world.random.oneOf([1, 30, 600]);
    const method = world.random.oneOf(["get", "put", "race"] as const);
    world.tell(`every back fails ${failRatio} of ${method} with ${Code[code]} after ${ms} ms`);
    for (const { name } of backs.replicas) moods.set(name, { failRatio, code, ms });

    const offered = await offer(world, (id) => client[method]({ id }));
    const clients = 1 + world.replicas.length - backs.replicas.length;
    const seconds = Math.max(windowSeconds, offered.seconds);
    const allowed = (1 + budgetRatio) * offered.calls + clients * floorPerSecond * seconds;
    const sent = ledger.total("back");
    world.tell(`${offered.calls} calls offered, ${sent} arrived, ${allowed} allowed`);
    holds(sent <= allowed, `of ${offered.calls} calls ${sent} arrived at back, and ${allowed} may`);
  },
};

/** Offers a steady load, and waits until all of it has ended, well or not. */
async function offer(world: World, call: (id: string) => Promise<unknown>) {
  const [perSecond, seconds] = [100, 4];
  const under: Promise<unknown>[] = [];
  for (let i = 0; i < perSecond * seconds; i++) {
    under.push(call(`${i}`).catch(() => {}));
    await world.sleep(1_000 / perSecond);
  }
  await Promise.all(under);
  return { calls: under.length, seconds };
}
