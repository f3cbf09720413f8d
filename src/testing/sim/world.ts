import type { DescService } from "@bufbuild/protobuf";
import type { MeshOptions } from "../../mesh/mesh.ts";
import { Caller } from "./caller.ts";
import { Chronicle } from "./chronicle.ts";
import { type Dice, dice } from "./dice.ts";
import { type Fault, strike } from "./fault.ts";
import { type Latency, longTailed } from "./latency.ts";
import type { Machine } from "./machine.ts";
import { VirtualNetwork } from "./network.ts";
import { Node, type WorldParts } from "./node.ts";
import { RegistryMachine } from "./registry.ts";
import { Replica, type ReplicaOptions, type Services } from "./replica.ts";
import { Timeline } from "./timeline.ts";
import { drawTrouble, follow, type TroubleOptions } from "./trouble.ts";

/** What a world is made of. */
export interface WorldOptions {
  /** What all its dice come from: the same seed and the same scenario make the same world, to the byte. */
  readonly seed: number;
  /** How long what is sent from one host to another takes. Default: long-tailed around 0.5 ms. */
  readonly latency?: Latency;
  /** Share of segments that TCP has to send again. Default 0. */
  readonly lossRatio?: number;
  /** Bytes that a connection holds each way before its writer has to wait. Default 256 KiB. */
  readonly windowBytes?: number;
  /** When it begins, in milliseconds since the epoch. Default: 2026-01-01. */
  readonly startMs?: number;
  /** Whether what is left behind says where it was made. That takes several times as long. Default: no. */
  readonly notesOrigins?: boolean;
  /** More events are a world that never rests. Default 1 million. */
  readonly maxEvents?: number;
}

/** How replicas of a service are started. */
export interface ServeOptions extends ReplicaOptions {
  /** Default 1. */
  readonly replicas?: number;
  /** Zones of the replicas, in turn. */
  readonly zones?: readonly string[];
}

/** A service that was started. */
export class Served {
  readonly name: string;
  readonly replicas: readonly Replica[];

  constructor(name: string, replicas: readonly Replica[]) {
    this.name = name;
    this.replicas = replicas;
  }

  /** One of its replicas, counted from 1. */
  replica(number: number): Replica {
    const found = this.replicas[number - 1];
    if (found === undefined) throw new RangeError(`${this.name} has ${this.replicas.length} replicas, no ${number}`);
    return found;
  }
}

/** A mesh and all that it stands on, in this process and on a time of its own: see `simulate`. */
export class World {
  readonly seed: number;
  /** The scenario's own dice. */
  readonly random: Dice;
  readonly chronicle: Chronicle;
  readonly registry: RegistryMachine;
  /** @internal */
  readonly network: VirtualNetwork;
  readonly timeline: Timeline;
  readonly #parts: WorldParts;
  readonly #machines = new Map<string, Machine>();
  readonly #callers: Caller[] = [];
  readonly #replicas: Replica[] = [];
  readonly #failed = Promise.withResolvers<never>();

  constructor({ seed, latency = longTailed(0.5), lossRatio = 0, ...options }: WorldOptions) {
    const {
      windowBytes = 256 * 1024,
      startMs = Date.UTC(2026, 0, 1),
      maxEvents = 1_000_000,
      notesOrigins = false,
    } = options;
    const all = dice(seed);
    this.failed.catch(() => {}); // whoever runs the world is told
    this.seed = seed;
    this.random = all.fork("scenario");
    this.timeline = new Timeline(startMs, maxEvents);
    const { timeline } = this;
    this.chronicle = new Chronicle(() => timeline.sinceStart);
    const { chronicle } = this;
    const path = { latency, lossRatio };
    this.network = new VirtualNetwork({ timeline, chronicle, dice: all.fork("network"), path, windowBytes });
    this.#parts = { timeline, chronicle, network: this.network, dice: all, notesOrigins };
    this.registry = new RegistryMachine(this.#parts);
    this.#machines.set(this.registry.name, this.registry);
  }

  /** Milliseconds since the world began. */
  get now(): number {
    return this.timeline.sinceStart;
  }

  get replicas(): readonly Replica[] {
    return this.#replicas;
  }

  get callers(): readonly Caller[] {
    return this.#callers;
  }

  /** Resolves after so many milliseconds of the world's time. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.timeline.call(this.timeline.now + ms, resolve));
  }

  /** Lets something go on beside the scenario; if it fails, the scenario has failed. */
  meanwhile(work: Promise<unknown>): void {
    work.catch((reason) => this.#failed.reject(reason));
  }

  /** Rejects when something failed that went on beside the scenario. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Notes a line among those of the world. */
  tell(what: string): void {
    this.chronicle.tell("world", what);
  }

  /**
   * Starts replicas of a service, each on a machine of its own ("user-1", "user-2", …), and waits until the registry
   * knows them. `services` is asked anew for each process.
   */
  async serve<const T extends readonly DescService[]>(
    service: string,
    services: Services<T>,
    { replicas: count = 1, zones = [], ...options }: ServeOptions = {},
  ): Promise<Served> {
    const made = Array.from({ length: count }, (_, index) => {
      const zone = zones[index % zones.length];
      const identity = { service, number: index + 1, services };
      return new Replica(this.#parts, { ...options, ...(zone !== undefined && { zone }), ...identity });
    });
    for (const replica of made) this.#add(replica);
    this.#replicas.push(...made);
    for (const replica of made) await replica.start();
    for (const replica of made) await replica.registered();
    return new Served(service, made);
  }

  /** Starts a program that calls others, on a machine of its own. */
  async caller(name: string, options: MeshOptions = {}): Promise<Caller> {
    const caller = new Caller(name, this.#parts);
    this.#add(caller);
    this.#callers.push(caller);
    await caller.start(options);
    return caller;
  }

  /** A process of its own on a host of that name, for what is neither a server nor a client of the mesh. */
  node(name: string): Node {
    return new Node(name, 1, this.#parts);
  }

  /** The machine of that name. */
  machine(name: string): Machine {
    const found = this.#machines.get(name);
    if (found === undefined) throw new RangeError(`the world has no machine ${name}`);
    return found;
  }

  /** Every machine there is. */
  get machines(): readonly Machine[] {
    return [...this.#machines.values()];
  }

  /** Lets something go wrong; returns what ends it. */
  strike(fault: Fault): () => Promise<void> {
    return strike(this, fault);
  }

  /** Draws faults from the scenario's dice, and lets them take their course; resolves when the last one is over. */
  trouble(options: TroubleOptions): Promise<void> {
    return follow(this, drawTrouble(this, this.random.fork("trouble"), options));
  }

  /** Ends all that runs, as programs do that are told to. Resolves with what was left behind. */
  async close(): Promise<readonly string[]> {
    this.tell("closes");
    await Promise.all(this.#callers.map((caller) => caller.stop()));
    await Promise.all(this.#replicas.map((replica) => replica.stop(1_000)));
    await this.registry.stop();
    return this.machines.flatMap(({ leftovers }) => leftovers);
  }

  #add(machine: Machine): void {
    if (this.#machines.has(machine.name)) throw new RangeError(`the world has a machine ${machine.name} already`);
    this.#machines.set(machine.name, machine);
  }
}
