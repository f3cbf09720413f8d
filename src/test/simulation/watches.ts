import type { Caller } from "../../testing/sim/caller.ts";
import type { World } from "../../testing/sim/world.ts";
import { Back, Front } from "./hop.ts";
import { holds, type Property } from "./property.ts";
import { Ledger, stage } from "./stage.ts";

/** The registry gives a sign of life at least this often; a connection that was lost without a word is noticed sooner. */
const heartbeatMs = 5_000;

/** Time in which what the registry has just told is on its way. */
const travelMs = 100;

/** How long a view is waited for, to say how late it was. */
const patienceMs = 60_000;

/** Once nothing goes wrong any more, every client soon sees what the registry sees. */
export const watches: Property = {
  name: "watches",
  says: "once faults stop, every client's view equals the registry's within one heartbeat",
  async scenario(world) {
    const serving = stage({ ledger: new Ledger(), moods: new Map(), now: () => world.now });
    await world.serve("back", (on) => [[Back, serving(on)]], { replicas: world.random.between(1, 4) });
    await world.serve("front", (on) => [[Front, serving(on)]], { replicas: 1 });
    const callers = [await world.caller("left"), await world.caller("right")];
    for (const caller of callers) for (const { typeName } of [Back, Front]) caller.mesh.resolver.resolve(typeName);
    await world.trouble({ withinMs: 20_000, hosts: world.machines.map(({ name }) => name).filter(isServer) });
    await world.sleep(heartbeatMs - travelMs);
    for (const caller of callers) for (const { typeName } of [Back, Front]) await assertSame(world, caller, typeName);
  },
};

const isServer = (name: string) => /^(registry|back|front)/.test(name);

async function assertSame(world: World, caller: Caller, service: string): Promise<void> {
  const beganAt = world.now;
  const isSame = () => seen(caller, service) === known(world, service);
  while (!isSame() && world.now - beganAt < patienceMs) await world.sleep(5);
  const lateMs = world.now - beganAt;
  if (lateMs <= travelMs) return;
  const views = `${caller.name} sees [${seen(caller, service)}] of ${service}, the registry [${known(world, service)}]`;
  holds(isSame(), `${views}, and that stays so`);
  throw new Error(`${caller.name} saw what the registry says of ${service} only ${lateMs.toFixed(0)} ms too late`);
}

function seen(caller: Caller, service: string): string {
  const { value } = caller.mesh.resolver.resolve(service);
  if (value.kind !== "live") return value.kind;
  return value.endpoints
    .map(({ id }) => id)
    .sort()
    .join();
}

function known(world: World, service: string): string {
  return world.registry
    .instances(service)
    .map(({ id }) => id)
    .sort()
    .join();
}
