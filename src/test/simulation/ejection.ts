import { Code } from "@connectrpc/connect";
import { Back } from "./hop.ts";
import { holds, type Property } from "./property.ts";
import { Ledger, type Moods, stage } from "./stage.ts";

/** Time in which circuits open, and then each window in which a replica that may be asked has to be. */
const settleMs = 3_000;
const windowMs = 1_000;
const windows = 5;

/** However many fail, at most half of a small fleet is left alone. */
export const ejection: Property = {
  name: "ejection",
  says: "of a small fleet that fails as a whole at most half is ejected at a time",
  async scenario(world) {
    const ledger = new Ledger();
    const moods: Moods = new Map();
    const serving = stage({ ledger, moods, now: () => world.now });
    const count = world.random.between(2, 6);
    const backs = await world.serve("back", (on) => [[Back, serving(on)]], { replicas: count });
    const client = (await world.caller("caller")).client(Back);
    const code = world.random.oneOf([Code.Unavailable, Code.Internal]);
    for (const { name } of backs.replicas) moods.set(name, { failRatio: 1, code, ms: world.random.oneOf([1, 20]) });
    const beganAt = world.now;
    const method = world.random.oneOf(["get", "make"] as const);
    const under: Promise<unknown>[] = [];
    for (let i = 0; world.now < beganAt + settleMs + windows * windowMs; i++) {
      under.push(client[method]({ id: `${i}` }).catch(() => {}));
      await world.sleep(15);
    }
    await Promise.all(under);
    const least = count - Math.floor(count / 2);
    for (let from = beganAt + settleMs; from < beganAt + settleMs + windows * windowMs; from += windowMs) {
      const asked = backs.replicas.filter(({ name }) =>
        ledger.timesOf(name).some((at) => at >= from && at < from + windowMs),
      );
      holds(asked.length >= least, `of ${count} replicas ${asked.length} were asked in the second from ${from} ms`);
    }
  },
};
