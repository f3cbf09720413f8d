import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { Replica } from "../../testing/sim/replica.ts";
import type { World } from "../../testing/sim/world.ts";
import { Entries, type EntryCounts } from "./entries.ts";
import { Back, Front, type Hop } from "./hop.ts";
import { holds, type Property } from "./property.ts";
import { Ledger, type Mood, type Moods, stage, well } from "./stage.ts";

/** All that leaves the machine's memory as it is: what dies without a word is held by the world that it died in. */
const kinds = ["cut", "black hole", "slow", "loss", "reset", "sever", "drain", "pause", "jump"] as const;

/** Fails now and then, and is slow enough to be raced and given up. */
const unwell: Mood = { failRatio: 0.2, code: Code.Unavailable, ms: 40 };

/** Time in which connections that are not needed any more close, and the last news of a call has come. */
const restMs = 90_000;

/** Calls that go wrong in every way leave no more behind than calls that went well did. */
export const leftovers: Property = {
  name: "leftovers",
  says: "after trouble no more sessions and no more entries of any map are left than there were before it",
  async scenario(world) {
    using entries = new Entries();
    await world.registry.stop();
    await world.registry.start(); // what it keeps is to be counted, too
    const moods: Moods = new Map();
    const chain = { ledger: new Ledger(), moods, now: () => world.now };
    const [back, front] = [stage(chain), stage({ ...chain, next: Back })];
    await world.serve("back", (on) => [[Back, back(on)]], { replicas: 2 });
    await world.serve("front", (on) => [[Front, front(on)]], { replicas: 2 });
    const client = (await world.caller("caller")).client(Front);
    const lived = async (troubles: () => Promise<void>) => {
      for (const { name } of world.replicas) moods.set(name, unwell);
      await Promise.all([troubles(), manyCalls(world, client, { calls: 120, withinMs: 20_000 })]);
      for (const replica of world.replicas) await restarted(replica);
      await world.sleep(restMs);
      for (const { name } of world.replicas) moods.set(name, well);
      await manyCalls(world, client, { calls: 300, withinMs: 20_000 }); // so that everybody has been asked everything
      await world.sleep(restMs);
    };

    await lived(async () => {});
    const [before, sessionsBefore] = [await counted(world, entries, Math.max), sessions(world)];
    await lived(() => world.trouble({ withinMs: 20_000, kinds }));
    assertNoMore(before, await counted(world, entries, Math.min));
    holds(sessions(world) <= sessionsBefore, `${sessions(world)} connections are open, and ${sessionsBefore} were`);
  },
};

interface Calls {
  readonly calls: number;
  readonly withinMs: number;
}

async function restarted(replica: Replica): Promise<void> {
  await replica.stop(1_000);
  await replica.start();
}

/** Calls of every kind, spread over the time: some have too little of it, some are given up by their callers. */
async function manyCalls(world: World, client: Client<Hop>, { calls, withinMs }: Calls): Promise<void> {
  const under: Promise<void>[] = [];
  for (let i = 0; i < calls; i++) {
    const leaving = new AbortController();
    const method = (["get", "put", "race", "make", "follow"] as const)[i % 5] ?? "get";
    const options = { signal: leaving.signal, timeoutMs: world.random.oneOf([20, 1_000, 4_000]) };
    if (world.random.chance(0.1)) void world.sleep(world.random.between(0, 100)).then(() => leaving.abort());
    under.push(called(client, method, `${i}`, options));
    await world.sleep(world.random.between(0, (2 * withinMs) / calls));
  }
  await Promise.all(under);
}

async function called(
  client: Client<Hop>,
  method: "get" | "put" | "race" | "make" | "follow",
  id: string,
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<void> {
  try {
    if (method !== "follow") await client[method]({ id }, options);
    else for await (const _ of client.follow({ id, count: 10 }, options));
  } catch (reason) {
    if (!(reason instanceof ConnectError)) throw reason; // how calls end is another property's
  }
}

/** The least, or the most, of what is there at several moments: a probe of somebody's health, say, comes and goes. */
async function counted(world: World, entries: Entries, choose: (...counts: number[]) => number): Promise<EntryCounts> {
  let chosen: EntryCounts = await world.timeline.outside(() => entries.count());
  for (let again = 0; again < 3; again++) {
    await world.sleep(world.random.between(500, 2_500));
    const now = await world.timeline.outside(() => entries.count());
    const sites = [...new Set([...now.keys(), ...chosen.keys()])];
    const counts = (site: string) => [now.get(site) ?? 0, chosen.get(site) ?? 0];
    chosen = new Map(sites.map((site) => [site, choose(...counts(site))]));
  }
  return chosen;
}

/** Connections that are open, all machines together. */
function sessions(world: World): number {
  return world.machines.reduce((sum, { node }) => sum + (node ? world.network.socketsOf(node.process).length : 0), 0);
}

/** What remembers on purpose, and no more than so much. */
const bounded = [
  "/src/http2/hpack-encoder.ts", // names and values of a connection: its table's 4 KiB
  "/src/http2/block-reader.ts", // heads that a connection's peer repeats
  "/src/http2/streams.ts", // streams of a connection that were reset of late
  "/src/mesh/place.ts", // a circuit for each method of an endpoint, from its first call there
  "/src/mesh/policy/latency.ts", // two percentiles of a method
  "/src/wire/grpc/caller.ts", // heads of a connection's requests
  "/src/test/", // what these tests keep
  "/node_modules/@bufbuild/", // what a message's type says of its fields, and what a pattern matches
];

function assertNoMore(before: EntryCounts, after: EntryCounts): void {
  const isBounded = (site: string) => bounded.some((known) => site.startsWith(known));
  const more = [...after].filter(([site, count]) => count > (before.get(site) ?? 0) && !isBounded(site));
  const told = more.map(([site, count]) => `${count} entries of ${site}, and there were ${before.get(site) ?? 0}`);
  holds(more.length === 0, told.join("; "));
}
