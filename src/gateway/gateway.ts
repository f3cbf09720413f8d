import type { Registry } from "prom-client";
import { DiscoveryService } from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import { serve } from "../app/run.ts";
import type { RunningServer } from "../app/running.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { jsonLogger, type Logger } from "../base/log.ts";
import { createLoopLoad, idleLoop, type LoopLoad } from "../base/loop-load.ts";
import { type Random, systemRandom } from "../base/random.ts";
import type { FaultSource } from "../mesh/faults/plan.ts";
import { openMesh } from "../mesh/mesh.ts";
import type { JsonOutput } from "../rest/response.ts";
import { type BearerTokenOptions, bearerTokens } from "../security/bearer-tokens.ts";
import type { TlsFiles } from "../security/certificates.ts";
import type { Authenticate } from "../security/principal.ts";
import type { Buckets } from "../server/policy/local-buckets.ts";
import type { LoopOverloadOptions } from "../server/policy/loop-overload.ts";
import { meshMetrics } from "../telemetry/mesh-metrics.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { addressSet } from "../wire/addresses.ts";
import type { Engine, ServerTls, SessionTls } from "../wire/engine.ts";
import { defaultEngine } from "../wire/engines.ts";
import type { Rpcs } from "../wire/grpc/rpc.ts";
import { type AggregateSource, aggregatesOf } from "./aggregate/plan-source.ts";
import { answering } from "./answering.ts";
import { type BodyLimits, createRoom } from "./http/bodies.ts";
import { callerOf } from "./idempotency/caller.ts";
import { KeyedRequests } from "./idempotency/keyed-requests.ts";
import { type AnswerPlace, LazyRows } from "./idempotency/lazy-rows.ts";
import { documentationOf } from "./pages/pages.ts";
import { openBuckets } from "./routes/buckets.ts";
import { fileFleetCache, noFleetCache } from "./routes/fleet-cache.ts";
import { openRouting, type Routing } from "./routes/routing.ts";

/** How a gateway is found, and how it treats those who call. */
export interface GatewayOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8000; 0 lets the system choose. */
  readonly port?: number;
  /** The port of the pages for machines. Unset, no pages. */
  readonly adminPort?: number;
  /** Discovery's "host:port", or several between commas. Default `HEDDLE_DISCOVERY`, else 127.0.0.1:8500. */
  readonly discovery?: string;
  /** The host by which others reach it. Default: `host`, or the machine's name when that is a wildcard. */
  readonly advertise?: string;
  /** Where what discovery said last is kept, for a start without it. By default nowhere. */
  readonly cacheDir?: string;
  /** Origins whose pages may call, and open WebSockets; `*` is every one. Default `*`. */
  readonly corsOrigins?: readonly string[];
  /** For unary calls of which neither contract nor caller says how long they may take, in milliseconds. Default 5 s. */
  readonly upstreamTimeoutMs?: number;
  /** Paths that are answered with what several calls bring: made with `aggregate()`, or a plan as JSON or "@file". Default none. */
  readonly aggregates?: AggregateSource;
  /** Memory for answers that contracts let it give again (`cache`), in bytes; 0 keeps none. Default 64 MiB. */
  readonly answerCacheBytes?: number;
  /**
   * Where answers to requests with `Idempotency-Key` are kept for 24 h: a PostgreSQL URL, or if that is empty, `gateway.db`
   * in a folder. Opened by the first such request. By default nowhere: the key is passed on to the service and no more.
   */
  readonly answers?: AnswerPlace;
  /** Proxies, as "10.0.0.0/8" or an address, whose word for where a request comes from is taken. By default none. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Keeps the contract's rate limits: in buckets of its own (true, the default), in those given, or not at all. */
  readonly rateLimits?: boolean | Buckets;
  /** A Redis in which gateways share their buckets. If empty or unset, each keeps its own. */
  readonly redisUrl?: string | undefined;
  /** When its event loop has too much to do to pass on every call; what upstream is slow in is no reason. `false`: never. */
  readonly limits?: LoopOverloadOptions | false;
  /** Says how busy the event loop is, to one reader each. By default this thread's; with a `clock`, one that never is. */
  readonly loop?: () => LoopLoad;
  /** What the bodies of requests may take together. */
  readonly bodies?: BodyLimits;
  /** How REST under `/v1` is answered: enums as numbers, names in snake_case, without defaults. If unset, as protojson has it, with every field. */
  readonly json?: JsonOutput;
  /** Whether `/docs` and `/openapi.json` tell of the API that is routed. Default true. */
  readonly docs?: boolean;
  /** What they call the API. Default "API". */
  readonly apiTitle?: string;
  readonly drainMs?: number;
  /** Whether SIGTERM and SIGINT drain the gateway. Default true. */
  readonly signals?: boolean;
  readonly version?: string;
  readonly zone?: string;
  /** What is to go wrong in the calls that it passes on, on purpose. Default `HEDDLE_FAULTS`, else nothing. */
  readonly faults?: FaultSource;
  /** Proves callers, for contracts that ask for access. Without it, and without `tokens`, such methods are not passed on. */
  readonly authenticate?: Authenticate;
  /** Which bearer tokens prove callers: what `bearerTokens` takes. */
  readonly tokens?: BearerTokenOptions;
  readonly tls?: ServerTls;
  /** Files of the certificate and its key, followed while they change; instead of `tls`. */
  readonly tlsFiles?: TlsFiles;
  /** How services that speak TLS prove themselves. By default by the authorities that Node knows; NODE_EXTRA_CA_CERTS adds some. */
  readonly endpointTls?: SessionTls;
  readonly metrics?: Registry;
  readonly log?: Logger;
  readonly engine?: Engine;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** An open gateway: drained when told to, as any server. */
export type Gateway = RunningServer;

/**
 * Opens a gateway: one port for every service that discovery knows, over REST, Connect, gRPC-Web and gRPC. It knows no
 * contract of its own: it asks the services, routes what appears, and needs discovery neither to start nor to go on.
 */
export async function openGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const { log = jsonLogger({ fields: { service: "gateway" } }), version = "" } = options;
  const { engine = defaultEngine, clock = systemClock, random = systemRandom } = options;
  const { metrics = createMetrics({ service: "gateway" }), corsOrigins = ["*"], port = 8_000 } = options;
  const aggregates = aggregatesOf(options.aggregates ?? []);
  const { upstreamTimeoutMs = 5_000, answerCacheBytes = 64 * 1024 * 1024, json = {} } = options;
  const { docs = true, apiTitle: title = "API" } = options;
  const { trustedProxies = [], rateLimits = true, redisUrl, bodies = {}, limits = {} } = options;
  const { loop = clock === systemClock ? createLoopLoad : () => idleLoop } = options;
  const proxies = trustedProxies.length === 0 ? undefined : addressSet(trustedProxies);
  const room = createRoom(bodies);
  const tools = { engine, clock, random, log };
  const { authenticate = options.tokens && bearerTokens({ clock, log, ...options.tokens }) } = options;
  const opened: AsyncDisposable[] = [];
  const buckets = rateLimits === true ? await openBuckets({ ...tools, redisUrl, metrics, opened }) : rateLimits;
  const mesh = await openMesh({ ...options, ...tools, hooks: meshMetrics(metrics) }).catch(closeAndThrow(opened));
  opened.unshift(mesh);
  const discovery = mesh.client(DiscoveryService);
  const keyed = options.answers && keyedRequests(options.answers, { authenticate, upstreamTimeoutMs, clock, log });
  if (keyed !== undefined) opened.unshift(keyed);
  const cache = options.cacheDir === undefined ? noFleetCache : fileFleetCache(options.cacheDir, log);
  let routing: Routing | undefined;
  const rpcs: Rpcs = { get: (path) => routing?.routes.value.rpcs.get(path) };
  const starting = serve({
    ...options,
    ...tools,
    name: "gateway",
    services: [],
    rateLimits: false, // of what it serves itself; what it passes on is limited by the steps of the routing
    port,
    metrics,
    rpcs,
    ...(authenticate && { authenticate }),
    around(own, parts) {
      const calls = { upstream: mesh.transport, passOn: mesh.call, upstreamTimeoutMs };
      const upstream = { ...calls, answerCacheBytes, json, aggregates };
      const access = { authenticate, endpointTls: options.endpointTls };
      const limiting = { rateLimits: buckets, limits, loop, proxies, room };
      const found = { ...tools, parts, discovery, cache, corsOrigins };
      routing = openRouting({ ...found, ...upstream, ...access, ...limiting });
      opened.unshift(routing);
      const documentation = docs ? documentationOf({ routes: routing.routes, title, version, json, log }) : undefined;
      const about = { health: parts.health, version, provesCallers: authenticate !== undefined, documentation };
      return answering({ own, routing, ...about, corsOrigins, proxies, bodies, room, keyed, clock, random });
    },
  });
  const server = await starting.catch(closeAndThrow(opened));
  return closing(server, opened);
}

function closeAndThrow(opened: readonly AsyncDisposable[]) {
  return async (reason: unknown): Promise<never> => {
    await closeAll(opened);
    throw reason;
  };
}

interface KeyedRequestsParts {
  readonly authenticate: Authenticate | undefined;
  readonly upstreamTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

function keyedRequests(place: AnswerPlace, parts: KeyedRequestsParts): KeyedRequests {
  const { authenticate, upstreamTimeoutMs, clock, log } = parts;
  const rows = new LazyRows({ ...place, limits: keepLimits, clock, log });
  return new KeyedRequests({ rows, callerOf: callerOf(authenticate), waitMs: upstreamTimeoutMs, clock, log });
}

/** A day of eleven requests with a key a second, and as many bytes as a small machine has to spare. */
const keepLimits = { maxRows: 1_000_000, maxBytes: 1024 * 1024 * 1024 };

/** By hand, for Node 22 has no AsyncDisposableStack. */
async function closeAll(parts: readonly AsyncDisposable[]): Promise<void> {
  for (const part of parts) await part[Symbol.asyncDispose]();
}

/** The server, with what it stands on closed after it, whoever stopped it. */
function closing(server: RunningServer, rest: readonly AsyncDisposable[]): Gateway {
  const drained = server.drained.then(() => closeAll(rest));
  const drain = async () => {
    await server.drain();
    await drained;
  };
  const { host, port, adminPort } = server;
  return { host, port, adminPort, drained, drain, [Symbol.asyncDispose]: drain };
}
