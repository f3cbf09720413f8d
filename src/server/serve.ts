import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, createConnectRouter, type Interceptor, type ServiceImpl } from "@connectrpc/connect";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { OpenRcaService } from "../../gen/xds/service/orca/v3/orca_pb.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { Lifetime } from "../base/lifetime.ts";
import type { Logger } from "../base/log.ts";
import { createLoopLoad, idleLoop, type LoopLoad } from "../base/loop-load.ts";
import { methodName } from "../call/method.ts";
import { assertPolicies } from "../call/policy.ts";
import { contractRegistry } from "../rest/registry.ts";
import { isClosed } from "../security/access.ts";
import type { Authenticate } from "../security/principal.ts";
import type { Engine, HttpHandler, Listener, ServerTls } from "../wire/engine.ts";
import { defaultEngine } from "../wire/engines.ts";
import { compressions } from "../wire/grpc/compressions.ts";
import { maxMessageBytes } from "../wire/grpc/messages.ts";
import type { Rpcs } from "../wire/grpc/rpc.ts";
import { dispatcher } from "./dispatch.ts";
import { type HealthState, healthService, healthState } from "./health.ts";
import type { ServerHooks } from "./hooks.ts";
import { ServerLoad } from "./load.ts";
import { orcaService } from "./orca.ts";
import { type Buckets, LocalBuckets } from "./policy/local-buckets.ts";
import { reflectionServices } from "./reflection.ts";
import { rpcsOf } from "./rpcs.ts";
import { type Descriptors, readSourceInfo } from "./source-info.ts";
import { authenticate } from "./steps/authenticate.ts";
import { authorize } from "./steps/authorize.ts";
import { deadline } from "./steps/deadline.ts";
import { deprecation } from "./steps/deprecation.ts";
import { observe } from "./steps/observe.ts";
import { rateLimit } from "./steps/rate-limit.ts";
import { reportLoad } from "./steps/report-load.ts";
import { type LimitOptions, shed } from "./steps/shed.ts";
import type { WayIn } from "./steps/step.ts";
import { validate } from "./steps/validate.ts";
import { throughSteps } from "./through-steps.ts";

/** A service and what implements it. */
export type ServiceEntry = readonly [service: DescService, implementation: object];

/** Entries whose implementations are checked against their services, one by one. */
export type ServiceEntries<T extends readonly DescService[]> = {
  readonly [K in keyof T]: readonly [service: T[K], implementation: Partial<ServiceImpl<T[K]>>];
};

/** What a server has inside, for what stands around it. */
export interface ServerParts {
  readonly hooks: ServerHooks;
  readonly health: HealthState;
  /** Canceled when the server drains: endless streams end then. */
  readonly draining: Lifetime;
}

/** What a server serves, and how. */
export interface ServerOptions {
  readonly services: readonly ServiceEntry[];
  /** What `/health` calls it. */
  readonly name?: string;
  readonly version?: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: the system chooses. */
  readonly port?: number;
  /** PEM texts; with them the port speaks TLS only. */
  readonly tls?: ServerTls;
  /**
   * The contracts with their comments, which generated code has lost: what `buf build --as-file-descriptor-set -o FILE`
   * writes, or its bytes. Reflection hands the comments on, and the gateway's documentation shows them. Default: none.
   */
  readonly descriptors?: Descriptors;
  /** Proves callers. Without it no contract may ask for access. */
  readonly authenticate?: Authenticate;
  /** The application's own, inside of all steps. */
  readonly interceptors?: readonly Interceptor[];
  readonly hooks?: ServerHooks;
  /** The largest message that a caller may send, counted after decompression. Default 4 MiB, as gRPC has it. */
  readonly maxRequestBytes?: number;
  /** What it takes upon itself before it refuses calls. `false`: whatever comes. */
  readonly limits?: LimitOptions | false;
  /** Keeps the contract's rate limits: in buckets of its own, or in those given. Default false: the gateway keeps them. */
  readonly rateLimits?: boolean | Buckets;
  /** Says how busy the event loop is, to one reader each. By default this thread's; with a `clock`, one that never is. */
  readonly loop?: () => LoopLoad;
  /** Answers what is neither an RPC nor a REST path. By default 404. */
  readonly fallback?: HttpHandler;
  /** Stands around all that the port answers: it may answer itself, hand on to `own`, or change what `own` answers. */
  readonly around?: (own: HttpHandler, parts: ServerParts) => HttpHandler;
  /** With `around`: what gRPC calls are answered by directly, at this moment. It has to say the same as `around`. */
  readonly rpcs?: Rpcs;
  /** Is told of peers that break the protocol; of calls, `hooks` are. */
  readonly log?: Logger;
  readonly engine?: Engine;
  readonly clock?: Clock;
}

/** An open server. */
export interface Server extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly health: HealthState;
  /** Proves itself by another pair to connections that open from now on. Throws, and changes nothing, if it cannot be used. */
  setTls(tls: ServerTls): void;
  /**
   * Finishes what has begun and begins nothing. Not ready any more, GOAWAY, endless streams end with UNAVAILABLE,
   * other calls have `graceMs` (default 10 s). Resolves with how many calls were cut off.
   */
  drain(graceMs?: number): Promise<number>;
}

/**
 * Serves the services over gRPC, gRPC-Web, Connect and REST on one port, with `grpc.health.v1`, reflection and
 * `GET /health`. Throws before anything is opened if a contract contradicts itself or asks for what is not configured.
 */
export async function openServer(options: ServerOptions): Promise<Server> {
  const { host = "127.0.0.1", port = 0, engine = defaultEngine, clock = systemClock } = options;
  const { maxRequestBytes = maxMessageBytes } = options;
  const described = options.services.map(([service]) => service);
  described.forEach(assertPolicies);
  if (options.authenticate === undefined) assertOpen(described);

  const draining = new Lifetime();
  const { loop = clock === systemClock ? createLoopLoad : () => idleLoop } = options;
  const load = new ServerLoad({ loop: loop(), clock });
  const steps = wayIn(options, { draining, clock, loop: loop(), load });
  const { interceptors = [] } = options;
  const health = healthState(described);
  const router = createConnectRouter({
    interceptors: [throughSteps([...steps.door, ...steps.inside], clock), ...interceptors],
    acceptCompression: [...compressions],
    readMaxBytes: maxRequestBytes,
    writeMaxBytes: maxMessageBytes,
    jsonOptions: { registry: contractRegistry(described) },
  });
  const entries: readonly ServiceEntry[] = [
    ...options.services,
    [Health, healthService(health)],
    [OpenRcaService, orcaService(load, clock)],
    ...reflectionServices([...described, Health], await readSourceInfo(options.descriptors, options.log)),
  ];
  for (const [service, implementation] of entries) router.service(service, implementation);
  const own = dispatcher({ ...options, handlers: router.handlers, services: described, health, clock });
  const { around = (all) => all, hooks = {} } = options;
  const handler = around(own, { hooks, health, draining });
  const ofServices = () => rpcsOf(entries, { steps, interceptors, maxRequestBytes });
  const rpcs = options.around === undefined ? ofServices() : options.rpcs;
  const listener = await engine.listen({
    host,
    port,
    handler,
    ...(rpcs && { rpcs }),
    clock,
    ...(options.tls && { tls: options.tls }),
    ...(options.log && { log: options.log }),
  });
  return new OpenServer(listener, health, draining);
}

/** The way in, top to bottom. */
function wayIn(options: ServerOptions, { draining, clock, loop, load }: WayInParts): WayIn {
  const { hooks = {}, limits = {}, rateLimits = false } = options;
  const shedding = limits === false ? [] : [shed({ limits, loop, clock, exempt: alwaysAnswered })];
  const buckets = rateLimits === true ? new LocalBuckets({ now: clock.now }) : rateLimits;
  const limiting = buckets === false ? [] : [rateLimit(buckets)];
  const proving = [authenticate(options.authenticate), authorize()];
  return {
    door: [observe(hooks, clock, load), ...shedding],
    inside: [deadline(draining), deprecation(), ...proving, ...limiting, validate(), reportLoad(load)],
  };
}

interface WayInParts {
  readonly draining: Lifetime;
  readonly clock: Clock;
  readonly loop: LoopLoad;
  readonly load: ServerLoad;
}

/** Who asks how a server is has to hear it when it is worst. */
const alwaysAnswered: ReadonlySet<DescService> = new Set([Health]);

/**
 * A rule that nobody enforces is worse than none: refuse to start. What Heddle itself serves beside, for those who look after
 * events and sagas, is no reason: without keys its closed methods refuse everybody.
 */
function assertOpen(services: readonly DescService[]): void {
  const own = services.filter(({ typeName }) => !typeName.startsWith("heddle."));
  const closed = own.flatMap((service) => service.methods).filter(isClosed);
  if (closed.length === 0) return;
  const names = closed.map(methodName).join(", ");
  throw new Error(
    `the contract asks for access to ${names}, but nothing proves callers: set AUTH_JWKS, or \`authenticate\` in code`,
  );
}

class OpenServer implements Server {
  readonly host: string;
  readonly port: number;
  readonly health: HealthState;
  readonly #listener: Listener;
  readonly #draining: Lifetime;

  constructor(listener: Listener, health: HealthState, draining: Lifetime) {
    this.host = listener.host;
    this.port = listener.port;
    this.health = health;
    this.#listener = listener;
    this.#draining = draining;
  }

  setTls(tls: ServerTls): void {
    this.#listener.setTls(tls);
  }

  drain(graceMs = 10_000): Promise<number> {
    if (this.health.serving.value) this.health.serving.set(false);
    this.#draining.cancel(new ConnectError("the server is draining: ask another", Code.Unavailable));
    return this.#listener.drain(graceMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }
}
