import type { Registry } from "prom-client";
import { type Clock, systemClock } from "../base/clock.ts";
import { jsonLogger, type Logger } from "../base/log.ts";
import { createLoopLoad, idleLoop, type LoopLoad } from "../base/loop-load.ts";
import { type Random, systemRandom } from "../base/random.ts";
import type { FaultSource } from "../mesh/faults/plan.ts";
import type { JsonOutput } from "../rest/response/response.ts";
import { type BearerTokenOptions, bearerTokens } from "../security/bearer-tokens.ts";
import type { TlsFiles } from "../security/certificates.ts";
import type { Authenticate } from "../security/principal.ts";
import type { Buckets } from "../server/policy/local-buckets.ts";
import type { LoopOverloadOptions } from "../server/policy/loop-overload.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { addressSet } from "../wire/addresses.ts";
import type { Engine, ServerTls, SessionTls } from "../wire/engine.ts";
import { defaultEngine } from "../wire/engines.ts";
import { type AggregateSource, aggregatesOf } from "./aggregate/plan-source.ts";
import { type BodyLimits, createRoom } from "./http/bodies.ts";
import type { AnswerPlace } from "./idempotency/answer-place.ts";

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

/** What a gateway is made with: what its options say, and the defaults of what they leave out. Throws at what cannot be. */
export function filledIn(options: GatewayOptions) {
  const { log = jsonLogger({ fields: { service: "gateway" } }), clock = systemClock } = options;
  const { engine = defaultEngine, random = systemRandom, trustedProxies = [], bodies = {} } = options;
  const { authenticate = options.tokens && bearerTokens({ clock, log, ...options.tokens }) } = options;
  return {
    tools: { engine, clock, random, log },
    metrics: options.metrics ?? createMetrics({ service: "gateway" }),
    authenticate,
    aggregates: aggregatesOf(options.aggregates ?? []),
    proxies: trustedProxies.length === 0 ? undefined : addressSet(trustedProxies),
    bodies,
    room: createRoom(bodies),
    rateLimits: options.rateLimits ?? true,
    limits: options.limits ?? {},
    loop: options.loop ?? (clock === systemClock ? createLoopLoad : () => idleLoop),
    corsOrigins: options.corsOrigins ?? ["*"],
    upstreamTimeoutMs: options.upstreamTimeoutMs ?? 5_000,
    answerCacheBytes: options.answerCacheBytes ?? 64 * 1024 * 1024,
    json: options.json ?? {},
    about: { title: options.apiTitle ?? "API", version: options.version ?? "" },
  };
}
