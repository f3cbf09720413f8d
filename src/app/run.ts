import { hostname } from "node:os";
import type { DescService } from "@bufbuild/protobuf";
import type { Registry } from "prom-client";
import { v7 as uuid } from "uuid";
import { DiscoveryService } from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { jsonLogger, type Logger } from "../base/log.ts";
import { type Random, systemRandom } from "../base/random.ts";
import { Watchable } from "../base/watch.ts";
import { type Mesh, openMesh } from "../mesh/mesh.ts";
import { openServer, type Server, type ServerOptions, type ServiceEntries } from "../server/serve.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { serverMetrics } from "../telemetry/server-metrics.ts";
import type { Listener } from "../wire/engine.ts";
import { nodeEngine } from "../wire/node.ts";
import { openAdmin } from "./admin.ts";
import { Lease } from "./lease.ts";

/** What to serve, and how to be found. */
export interface ServeOptions<T extends readonly DescService[]> extends Omit<ServerOptions, "services" | "hooks"> {
  /** What people call the service: "user". Replicas share it. */
  readonly name: string;
  readonly services: ServiceEntries<T>;
  /** The port of the pages for machines: `/metrics`, `/healthz`, `/readyz`. 0 lets the system choose; unset, no pages. */
  readonly adminPort?: number;
  /** Discovery's "host:port"; `false`: register nowhere. Default `HEDDLE_DISCOVERY`, else 127.0.0.1:8500. */
  readonly discovery?: string | false;
  /** The host by which others reach this one. Unset or empty: `host`, or the machine's name when that is a wildcard. */
  readonly advertise?: string;
  readonly zone?: string;
  /** Share of the calls against other replicas, from 1 to 1000. Default 100. */
  readonly weight?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** How long draining waits for calls under way, in milliseconds. Default 10 s. */
  readonly drainMs?: number;
  /** Whether SIGTERM and SIGINT drain the server. Default true. */
  readonly signals?: boolean;
  /** Where `/metrics` counts, for programs that have more to count. Made when unset. */
  readonly metrics?: Registry;
  readonly log?: Logger;
  readonly random?: Random;
}

/** A server that runs: registered, checked, and drained when told to stop. */
export interface RunningServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** `undefined` where no pages for machines were asked for. */
  readonly adminPort: number | undefined;
  /** Stops: lets the registration go, finishes what has begun, closes. Twice is once. */
  drain(): Promise<void>;
  /** Resolves when it has stopped, whoever stopped it. A program ends by itself after it. */
  readonly drained: Promise<void>;
}

/** How long a start waits for its first registration; after that it serves and goes on trying. */
const registrationPatienceMs = 2_000;

/** Serves the services and registers them in discovery until SIGTERM, SIGINT or `drain()`. */
export async function serve<const T extends readonly DescService[]>(options: ServeOptions<T>): Promise<RunningServer> {
  const { name, log = jsonLogger({ fields: { service: name } }), signals = true, drainMs = 10_000 } = options;
  const { engine = nodeEngine, clock = systemClock, random = systemRandom } = options;
  const { metrics = createMetrics({ service: name }) } = options;
  const server = await openServer({ ...options, engine, clock, hooks: serverMetrics(metrics) });
  const { host, port } = server;
  const started = new Watchable(false);
  const admin =
    options.adminPort === undefined
      ? undefined
      : await openAdmin({ engine, host, port: options.adminPort, server, metrics, started }).catch(async (reason) => {
          await server.drain(0);
          throw reason;
        });
  const registration =
    options.discovery === false ? undefined : await register(options, { server, admin, log, clock, random });
  started.set(true);
  log.info("serving", { host, port, ...(admin && { admin: admin.port }) });
  return new Running({ server, admin, registration, log, drainMs, signals });
}

/** A lease and the mesh that holds it. */
interface Registration extends AsyncDisposable {
  readonly lease: Lease;
}

interface RegisterParts {
  readonly server: Server;
  readonly admin: Listener | undefined;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
}

async function register<T extends readonly DescService[]>(
  options: ServeOptions<T>,
  { server, admin, log, clock, random }: RegisterParts,
): Promise<Registration> {
  const { name, discovery, zone = "", weight = 100, version = "", metadata = {} } = options;
  const mesh: Mesh = await openMesh({ ...(discovery ? { discovery } : {}), log, clock, random });
  const host = options.advertise || reachable(server.host);
  const lease = new Lease({
    discovery: mesh.client(DiscoveryService),
    instance: {
      id: `${name}-${uuid()}`,
      name,
      services: options.services.map(([service]) => service.typeName),
      host,
      port: server.port,
      zone,
      weight,
      version,
      metadata: { ...metadata, ...(admin && { admin: `${host}:${admin.port}` }) },
    },
    clock,
    random,
    log,
  });
  const patience = AbortSignal.timeout(registrationPatienceMs);
  await lease.registered(patience).catch(() => log.warn("not registered yet; serving all the same", { discovery }));
  return {
    lease,
    async [Symbol.asyncDispose]() {
      await lease[Symbol.asyncDispose]();
      await mesh[Symbol.asyncDispose]();
    },
  };
}

/** A wildcard is where one listens, not where one is reached. */
function reachable(host: string): string {
  return host === "0.0.0.0" || host === "::" ? hostname() : host;
}

interface RunningParts {
  readonly server: Server;
  readonly admin: Listener | undefined;
  readonly registration: Registration | undefined;
  readonly log: Logger;
  readonly drainMs: number;
  readonly signals: boolean;
}

class Running implements RunningServer {
  readonly host: string;
  readonly port: number;
  readonly adminPort: number | undefined;
  readonly drained: Promise<void>;
  readonly #parts: RunningParts;
  readonly #stopped = Promise.withResolvers<void>();
  #draining: Promise<void> | undefined;

  constructor(parts: RunningParts) {
    this.host = parts.server.host;
    this.port = parts.server.port;
    this.adminPort = parts.admin?.port;
    this.drained = this.#stopped.promise;
    this.#parts = parts;
    if (parts.signals) for (const signal of stopSignals) process.on(signal, this.#onSignal);
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain().then(this.#stopped.resolve, this.#stopped.reject);
    return this.#draining.then(() => this.drained);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  readonly #onSignal = (signal: NodeJS.Signals) => {
    this.#parts.log.info("stopping", { signal });
    void this.drain();
  };

  async #drain(): Promise<void> {
    const { server, admin, registration, log, drainMs } = this.#parts;
    server.health.serving.set(false);
    await registration?.[Symbol.asyncDispose]();
    const cutOff = await server.drain(drainMs);
    if (cutOff > 0) log.warn("calls were cut off: the grace period was too short for them", { calls: cutOff, drainMs });
    await admin?.[Symbol.asyncDispose]();
    for (const signal of stopSignals) process.off(signal, this.#onSignal);
    log.info("stopped");
  }
}

const stopSignals = ["SIGTERM", "SIGINT"] as const;
