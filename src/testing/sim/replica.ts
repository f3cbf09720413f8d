import type { DescService } from "@bufbuild/protobuf";
import { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { Lease } from "../../app/lease.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Mesh } from "../../mesh/mesh.ts";
import {
  openServer,
  type Server,
  type ServerOptions,
  type ServiceEntries,
  type ServiceEntry,
} from "../../server/serve.ts";
import type { Dice } from "./dice.ts";
import { Machine } from "./machine.ts";
import type { Node, WorldParts } from "./node.ts";

/** What a process serves: made anew for each process that runs it, so that nothing outlives one but what is meant to. */
export type Services<T extends readonly DescService[]> = (
  on: Serving,
) => ServiceEntries<T> | Promise<ServiceEntries<T>>;

/** What handlers may use of the process they run in: its time and its dice, never the machine's. */
export interface Serving {
  readonly replica: Replica;
  readonly clock: Clock;
  readonly random: Dice;
  readonly log: Logger;
  /** For calls to others. */
  readonly mesh: Mesh;
  /** What the process runs on, for what has to know when it ends. */
  readonly node: Node;
  /** Closes what was opened once the server has drained, the last opened first. A process that crashes closes nothing. */
  readonly closing: AsyncDisposableStack;
}

/** How a replica serves and is registered. */
export interface ReplicaOptions {
  readonly zone?: string;
  readonly weight?: number;
  readonly version?: string;
  readonly server?: Omit<ServerOptions, "services" | "engine" | "clock" | "host" | "port">;
}

/** What runs on the replica's machine while it is up. */
interface Running {
  readonly node: Node;
  readonly mesh: Mesh;
  readonly server: Server;
  readonly lease: Lease;
  readonly closing: AsyncDisposableStack;
}

/** Where all replicas listen: each has a host of its own. */
const port = 8000;

/** One replica of a service: a machine of its own, and on it a server that registers itself, as `serve` does. */
export class Replica extends Machine {
  readonly service: string;
  readonly number: number;
  readonly #services: (on: Serving) => readonly ServiceEntry[] | Promise<readonly ServiceEntry[]>;
  readonly #options: ReplicaOptions;
  #running: Running | undefined;

  /** @internal */
  constructor(parts: WorldParts, { service, number, services, ...options }: ReplicaOptions & ReplicaIdentity) {
    super(`${service}-${number}`, parts);
    this.service = service;
    this.number = number;
    this.#services = services;
    this.#options = options;
  }

  get address(): string {
    return `${this.name}:${port}`;
  }

  /** Starts a new process on the machine; resolves when it listens. It registers as soon as the registry lets it. */
  async start(): Promise<void> {
    const node = this.begin();
    await this.orEnded(node.process, this.#open(node));
  }

  /** Resolves once the registry knows it. */
  async registered(): Promise<void> {
    await this.#running?.lease.registered();
  }

  /** Ends as a program does that is told to: lets its registration go, finishes what has begun, and exits. */
  async stop(graceMs = 10_000): Promise<void> {
    const running = this.#running;
    if (running === undefined || running.node.process.isEnded) return;
    this.#running = undefined;
    await this.leave(running.node, async () => {
      await running.lease[Symbol.asyncDispose]();
      await running.server.drain(graceMs);
      await running.closing.disposeAsync();
      await running.mesh[Symbol.asyncDispose]();
    });
  }

  async #open(node: Node): Promise<void> {
    const { clock, engine, log } = node;
    const mesh = await node.openMesh();
    const closing = new AsyncDisposableStack();
    const random = node.random.fork("handlers");
    const services = await this.#services({ replica: this, mesh, clock, log, random, node, closing });
    const { zone = "", weight = 100, version = "", server: how = {} } = this.#options;
    const server = await openServer({ ...how, services, host: this.name, port, engine, clock, log });
    const about = { name: this.service, services: services.map(([{ typeName }]) => typeName), zone, weight, version };
    const instance = { ...about, id: `${this.name}.${this.life}`, host: this.name, port };
    const leasing = { clock, random: node.random.fork("lease"), log };
    const lease = new Lease({ discovery: mesh.client(DiscoveryService), instance, ...leasing });
    this.#running = { node, mesh, server, lease, closing };
  }

  protected override gone(): void {
    this.#running = undefined;
  }
}

/** What a replica is. */
export interface ReplicaIdentity {
  readonly service: string;
  readonly number: number;
  readonly services: (on: Serving) => readonly ServiceEntry[] | Promise<readonly ServiceEntry[]>;
}
