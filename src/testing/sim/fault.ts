import type { Latency } from "./latency.ts";
import type { Path } from "./path.ts";
import { RegistryMachine } from "./registry.ts";
import { Replica } from "./replica.ts";
import type { World } from "./world.ts";

/** What can go wrong. Hosts are named; `*` is all the others. */
export type Fault =
  /** Nothing that `from` sends arrives at `to`; with `both`, nor the other way. TCP sends it again when that ends. */
  | { readonly kind: "cut"; readonly from: string; readonly to: string; readonly both?: boolean }
  /** Nothing that it sends arrives anywhere, nothing reaches it: it is as if it had been swallowed. */
  | { readonly kind: "black hole"; readonly host: string }
  /** What is sent between the two takes so many times as long. */
  | { readonly kind: "slow"; readonly host: string; readonly factor: number }
  /** Of what is sent from or to it, this share gets lost and is sent again. */
  | { readonly kind: "loss"; readonly host: string; readonly ratio: number }
  /** The connections between the two are cut, and both told. */
  | { readonly kind: "reset"; readonly host: string; readonly other: string }
  /** Somebody on the way forgets the connections between the two: they carry nothing any more, and nobody is told. */
  | { readonly kind: "sever"; readonly host: string; readonly other: string }
  /** The process ends in the middle of what it does; when the fault ends, it starts again. */
  | { readonly kind: "crash"; readonly host: string }
  /** The machine is gone without a word; when the fault ends, it starts again. */
  | { readonly kind: "power off"; readonly host: string }
  /** The process is told to end, and drains; when the fault ends, it starts again. */
  | { readonly kind: "drain"; readonly host: string }
  /** The process stands still. */
  | { readonly kind: "pause"; readonly host: string }
  /** Its date jumps. */
  | { readonly kind: "jump"; readonly host: string; readonly ms: number };

/** Lets something go wrong in a world; returns what ends it. Ending it twice is no error. */
export function strike(world: World, fault: Fault): () => Promise<void> {
  world.tell(`fault: ${shown(fault)}`);
  const end = begin(world, fault);
  let isOver = false;
  return async () => {
    if (isOver) return;
    isOver = true;
    world.tell(`over: ${shown(fault)}`);
    await end?.();
    world.network.healed();
  };
}

/** Its kind and what it is about, in one line. */
export function shown({ kind, ...about }: Fault): string {
  const facts = Object.entries(about).map(([name, value]) => `${name} ${value}`);
  return [kind, ...facts].join(", ");
}

function begin(world: World, fault: Fault): (() => void | Promise<void>) | undefined {
  const { network } = world;
  switch (fault.kind) {
    case "cut":
      return cut(fault.both ? pathsBetween(world, fault.from, fault.to) : [network.path(fault.from, fault.to)]);
    case "black hole":
      return swallow(network.host(fault.host));
    case "slow":
      return change(pathsOf(world, fault.host), (path) => ({ latency: stretched(path.options.latency, fault.factor) }));
    case "loss":
      return change(pathsOf(world, fault.host), () => ({ lossRatio: fault.ratio }));
    case "reset":
      return void network.reset(fault.host, fault.other);
    case "sever":
      return void network.sever(fault.host, fault.other);
    case "pause":
      return world.machine(fault.host).pause();
    case "jump":
      return void world.machine(fault.host).jump(fault.ms);
    case "crash":
    case "power off":
    case "drain":
      return takeDown(world, fault);
  }
}

function cut(paths: readonly Path[]): () => void {
  for (const path of paths) path.cuts++;
  return () => {
    for (const path of paths) path.cuts--;
  };
}

function swallow(host: { deaf: number; mute: number }): () => void {
  host.deaf++;
  host.mute++;
  return () => {
    host.deaf--;
    host.mute--;
  };
}

function change(paths: readonly Path[], made: (path: Path) => Partial<Path["options"]>): () => void {
  const before = paths.map((path) => [path, path.options] as const);
  for (const path of paths) path.options = { ...path.options, ...made(path) };
  return () => {
    for (const [path, options] of before) path.options = options;
  };
}

function takeDown(world: World, { kind, host }: Extract<Fault, { kind: "crash" | "power off" | "drain" }>) {
  const machine = world.machine(host);
  let stopped: Promise<void> | undefined;
  if (kind === "crash") machine.crash();
  else if (kind === "power off") machine.powerOff();
  else if (machine instanceof Replica || machine instanceof RegistryMachine) stopped = machine.stop();
  return async () => {
    await stopped;
    if (machine.node === undefined && (machine instanceof Replica || machine instanceof RegistryMachine)) {
      await machine.start();
    }
  };
}

const stretched =
  (latency: Latency, factor: number): Latency =>
  (random) =>
    factor * latency(random);

const pathsBetween = ({ network }: World, a: string, b: string) => [network.path(a, b), network.path(b, a)];

/** The paths from and to a host. */
function pathsOf(world: World, host: string): Path[] {
  const others = world.machines.filter(({ name }) => name !== host);
  return others.flatMap(({ name }) => pathsBetween(world, host, name));
}
