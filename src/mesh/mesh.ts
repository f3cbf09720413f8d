import type { DescService } from "@bufbuild/protobuf";
import {
  createClient,
  type Interceptor,
  type StreamResponse,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";
import { DiscoveryService } from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { Deadlines } from "../base/deadlines.ts";
import { environmentOr } from "../base/env.ts";
import { jsonLogger, type Logger } from "../base/log.ts";
import { type Random, systemRandom } from "../base/random.ts";
import type { OutgoingCallInit } from "../call/outgoing-call.ts";
import type { Engine, SessionTls } from "../wire/engine.ts";
import { defaultEngine } from "../wire/engines.ts";
import { callTransport, performed } from "../wire/grpc/call-transport.ts";
import { SessionPool } from "../wire/session-pool.ts";
import type { BalancerName } from "./balance/balancers.ts";
import { Channels } from "./channels.ts";
import { type MeshClient, meshClient } from "./client.ts";
import type { Credentials } from "./credentials.ts";
import { Faults } from "./faults/faults.ts";
import type { FaultSource } from "./faults/plan.ts";
import type { MeshHooks } from "./hooks.ts";
import { enterRecent, Recent } from "./recent.ts";
import { registryResolver } from "./resolve/registry.ts";
import type { Resolver } from "./resolve/resolver.ts";
import { fileCache, noCache } from "./resolve/snapshot-cache.ts";
import { staticResolver } from "./resolve/static.ts";
import { meshPerform, meshTransport } from "./transport.ts";

/** Where discovery listens unless somebody says otherwise. */
export const defaultDiscovery = "127.0.0.1:8500";

/** How a mesh finds and calls services. */
export interface MeshOptions {
  /** Discovery's "host:port", or several between commas. Default `HEDDLE_DISCOVERY`, else 127.0.0.1:8500. */
  readonly discovery?: string;
  /** Finds endpoints instead of discovery. */
  readonly resolver?: Resolver;
  /** Where the last good endpoints are kept for a start without discovery. By default nowhere. */
  readonly cacheDir?: string;
  /** How endpoints are chosen, instead of what contracts say. */
  readonly balance?: BalancerName;
  /** Where this client runs: services that say so prefer endpoints there. Default `ZONE`, else nowhere. */
  readonly zone?: string;
  /** The application's own, outside of all steps. */
  readonly interceptors?: readonly Interceptor[];
  /**
   * What calls prove themselves with: `callersToken()` passes on the token of the call being served, `bearer(source)`
   * shows this program's own. A call that brings its own `authorization` keeps it. By default nothing is shown. With a
   * `resolver` of one's own they have to name the services that see them, for these may be anybody's.
   */
  readonly credentials?: Credentials;
  /**
   * How endpoints that speak TLS prove themselves, and we to them. By default by the authorities that Node knows;
   * NODE_EXTRA_CA_CERTS adds some.
   */
  readonly endpointTls?: SessionTls;
  readonly hooks?: MeshHooks;
  /**
   * What is to go wrong in calls on purpose, for tests and game days: a `heddle.fault.v1.FaultPlan`, as a message, as
   * protojson or its text, or as "@path" of a file. Refused in production, unless HEDDLE_FAULTS_IN_PRODUCTION is "yes".
   * Default `HEDDLE_FAULTS`, else nothing.
   */
  readonly faults?: FaultSource;
  readonly log?: Logger;
  readonly engine?: Engine;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A way to call services by their contracts alone. */
export interface Mesh extends AsyncDisposable {
  /** A Connect client of the service. Its calls find an endpoint, survive failures, keep their deadline, and explain themselves. */
  client<S extends DescService>(service: S): MeshClient<S>;
  /** The same as a Connect transport, for any service. */
  readonly transport: Transport;
  /**
   * Makes one call, past the application's interceptors: for who passes calls on. Those that are `isRaw` have
   * RawMessages for messages, both ways, which nobody decodes on their way.
   */
  readonly call: (init: OutgoingCallInit) => Promise<UnaryResponse | StreamResponse>;
  readonly resolver: Resolver;
  /** What goes wrong on purpose, changed with `set`. */
  readonly faults: Faults;
}

/** Opens a mesh. Nothing is connected before the first call. */
export async function openMesh(options: MeshOptions = {}): Promise<Mesh> {
  const { clock = systemClock, random = systemRandom, engine = defaultEngine, hooks = {} } = options;
  const { log = jsonLogger({ level: "warn" }), interceptors = [], balance, zone = environmentOr("ZONE", "") } = options;
  const { credentials } = options;
  if (credentials?.services === undefined && credentials !== undefined && options.resolver !== undefined) {
    throw new TypeError(
      "credentials have to say `to` whom they are shown where endpoints come from a resolver of one's own",
    );
  }
  const faults = new Faults({ clock, random, log });
  faults.set(options.faults ?? environmentOr("HEDDLE_FAULTS", ""));
  const tls = options.endpointTls && { tls: options.endpointTls };
  const sessions = new SessionPool(engine, tls);
  const registrySessions = new SessionPool(engine, { ...registryKeepalive, ...tls });
  const deadlines = new Deadlines(clock);
  const recent = new Recent(clock);
  const entered = enterRecent(recent);
  const clientId = `${random()}`; // so that clients that start together choose apart
  const transportTo = (resolver: Resolver, sessions: SessionPool) => {
    const places = { resolver, sessions, deadlines, clock, random, zone, clientId };
    const channels = new Channels({ ...places, ...(balance && { balance }) });
    const parts = { channelOf: channels.of, sessions, deadlines, clock, random, recent };
    return { channels, parts };
  };

  const { discovery = environmentOr("HEDDLE_DISCOVERY", defaultDiscovery) } = options;
  const registry = transportTo(
    staticResolver({ [DiscoveryService.typeName]: discovery.split(",").map((address) => address.trim()) }),
    registrySessions,
  );
  const resolver =
    options.resolver ??
    registryResolver({
      discovery: createClient(DiscoveryService, meshTransport({ ...registry.parts, hooks: {}, interceptors: [] })),
      cache: options.cacheDir === undefined ? noCache : fileCache(options.cacheDir, log),
      clock,
      random,
      log,
    });
  const services = transportTo(withDiscovery(resolver, registry.channels), sessions);
  const perform = meshPerform({ ...services.parts, hooks, faults, ...(credentials && { credentials }) });
  const transport = callTransport({ perform, interceptors, baseUrl: "http://mesh" });
  return {
    client: (service) => meshClient(service, transport, clock),
    transport,
    call: (init) => performed(perform, init),
    resolver,
    faults,
    async [Symbol.asyncDispose]() {
      entered[Symbol.dispose]();
      await resolver[Symbol.asyncDispose]();
      services.channels[Symbol.dispose]();
      registry.channels[Symbol.dispose]();
      await sessions[Symbol.asyncDispose]();
      await registrySessions[Symbol.asyncDispose]();
      deadlines[Symbol.dispose]();
    },
  };
}

/**
 * A registry that died without a word is noticed within 5 s, though it is silent for as long when nothing changes: one
 * PING a connection, however many services are followed over it.
 */
const registryKeepalive = { keepaliveTimeMs: 1_500, keepaliveTimeoutMs: 2_000 };

/** Discovery itself is not looked up in discovery. */
function withDiscovery(resolver: Resolver, registry: Channels): Resolver {
  return {
    resolve: (service) =>
      service === DiscoveryService.typeName ? registry.of(DiscoveryService).resolution : resolver.resolve(service),
    lookAgain: (service) => resolver.lookAgain?.(service),
    [Symbol.asyncDispose]: () => resolver[Symbol.asyncDispose](),
  };
}
