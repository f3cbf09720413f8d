import { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import type { Instance } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { openServer, type Server } from "../../server/serve.ts";
import { keptInMemory } from "../../services/discovery/kept-in-memory.ts";
import { type Discovery, openDiscovery } from "../../services/discovery/open-discovery.ts";
import { socketProbe } from "../../services/discovery/probes.ts";
import { Machine } from "./machine.ts";
import { type Node, registryAddress, type WorldParts } from "./node.ts";

interface Running {
  readonly node: Node;
  readonly discovery: Discovery;
  readonly server: Server;
}

/** Discovery itself, on a machine of its own: the real one, whose disk is a piece of memory. */
export class RegistryMachine extends Machine {
  readonly #kept = keptInMemory();
  #running: Running | undefined;

  /** @internal */
  constructor(parts: WorldParts) {
    super(registryAddress.split(":")[0] as string, parts);
  }

  /** Starts it; resolves when it listens. It knows again what it knew. */
  async start(): Promise<void> {
    const node = this.begin();
    await this.orEnded(node.process, this.#open(node));
  }

  /** The instances that clients of a service should see now. */
  instances(service: string): readonly Instance[] {
    const selected = this.#running?.discovery.registry.select({ service, includeUnhealthy: false }) ?? [];
    return selected.map(({ instance }) => instance);
  }

  /** Ends as the program does that is told to. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined || running.node.process.isEnded) return;
    this.#running = undefined;
    await this.leave(running.node, async () => {
      running.discovery.endStreams();
      await running.server.drain(1_000);
      await running.discovery[Symbol.asyncDispose]();
    });
  }

  async #open(node: Node): Promise<void> {
    const { clock, engine, log } = node;
    const random = node.random.fork("discovery");
    const discovery = await openDiscovery({ kept: this.#kept, probe: socketProbe(engine), clock, random, log });
    const port = Number(registryAddress.split(":")[1]);
    const services = [[DiscoveryService, discovery.discovery]] as const;
    const server = await openServer({ services, host: this.name, port, engine, clock, log });
    this.#running = { node, discovery, server };
  }

  protected override gone(): void {
    this.#running = undefined;
  }
}
