import type { Client, Transport } from "@connectrpc/connect";
import type { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { LoopLoad } from "../../base/loop-load.ts";
import type { Random } from "../../base/random.ts";
import type { Followed } from "../../base/watch.ts";
import { endpointOf } from "../../mesh/resolve/endpoint-view.ts";
import type { JsonOutput } from "../../rest/response/response.ts";
import type { Authenticate } from "../../security/principal.ts";
import type { Buckets } from "../../server/policy/local-buckets.ts";
import type { LoopOverloadOptions } from "../../server/policy/loop-overload.ts";
import type { ServerParts } from "../../server/serve.ts";
import { authenticate } from "../../server/steps/authenticate.ts";
import { authorize } from "../../server/steps/authorize.ts";
import { deadline } from "../../server/steps/deadline.ts";
import { deprecation } from "../../server/steps/deprecation.ts";
import { observe } from "../../server/steps/observe.ts";
import { rateLimit } from "../../server/steps/rate-limit.ts";
import { shed } from "../../server/steps/shed.ts";
import type { Step } from "../../server/steps/step.ts";
import type { AddressSet } from "../../wire/addresses.ts";
import type { Engine, SessionTls } from "../../wire/engine.ts";
import type { Room } from "../../wire/grpc/rpc.ts";
import { grpcTransport } from "../../wire/grpc.ts";
import type { Aggregate } from "../aggregate/aggregate.ts";
import { cachedUpstream } from "../cache/cached-upstream.ts";
import { keepClosed } from "../upstream/keep-closed.ts";
import { withRequestIds } from "../upstream/request-ids.ts";
import { timeoutsWithDefault } from "../upstream/timeouts.ts";
import type { PassOn, WayUpstream } from "../upstream/way.ts";
import { ContractWatch, type ReadContract } from "./contract-watch.ts";
import { readFiles } from "./descriptors.ts";
import { type Fleet, FleetWatch } from "./fleet.ts";
import type { FleetCache } from "./fleet-cache.ts";
import { type Routes, RouteTable } from "./route-table.ts";

/** What routing needs. */
export interface RoutingOptions {
  readonly discovery: Client<typeof DiscoveryService>;
  readonly cache: FleetCache;
  readonly upstream: Transport;
  readonly passOn: PassOn;
  readonly upstreamTimeoutMs: number;
  readonly aggregates: readonly Aggregate[];
  /** Memory for answers that contracts let it give again. */
  readonly answerCacheBytes: number;
  /** Where the contracts' rate limits are kept; `false`, nowhere. */
  readonly rateLimits: Buckets | false;
  /** When the gateway's event loop has too much to do; `false`, whatever comes is passed on. */
  readonly limits: LoopOverloadOptions | false;
  readonly loop: () => LoopLoad;
  /** What the messages of calls have to fit in that are passed on as they are. */
  readonly room: Room;
  /** Proxies whose word for where a request comes from is taken. */
  readonly proxies: AddressSet | undefined;
  readonly json: JsonOutput;
  /** Origins whose pages may open WebSockets: those that may call. */
  readonly corsOrigins: readonly string[];
  /** Proves callers; without it, methods that ask for access are not passed on. */
  readonly authenticate: Authenticate | undefined;
  /** How services that speak TLS prove themselves. */
  readonly endpointTls: SessionTls | undefined;
  readonly parts: ServerParts;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Routes that follow what is there. */
export interface Routing extends AsyncDisposable {
  readonly fleet: Followed<Fleet>;
  readonly routes: Followed<Routes>;
  /** Whether all is routed that there is, as far as discovery knows: a gateway that has just started is still asking. */
  readonly isSettled: () => boolean;
}

/** Starts to follow discovery and to route what it tells of: instances → descriptors → routes. */
export function openRouting(options: RoutingOptions): Routing {
  const { discovery, cache, engine, endpointTls = {}, clock, random, log } = options;
  const { aggregates, upstreamTimeoutMs: aggregateTimeoutMs } = options;
  const table = new RouteTable({ way: wayUpstream(options), aggregates, aggregateTimeoutMs, log });
  const fleet = new FleetWatch({ discovery, cache, clock, random, log });
  const contracts = new ContractWatch({
    fleet: fleet.fleet,
    read: readFrom(engine, endpointTls),
    offer: (contract) => table.offer(contract),
    refuse: (service, problem) => table.refuse(service, problem),
    clock,
    random,
    log,
  });
  return {
    fleet: fleet.fleet,
    routes: table.routes,
    isSettled: () => contracts.isSettled,
    async [Symbol.asyncDispose]() {
      await contracts[Symbol.asyncDispose]();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

/** The way in, top to bottom, as in a server. */
function wayUpstream(options: RoutingOptions): WayUpstream {
  const { parts, authenticate: prove, rateLimits, upstreamTimeoutMs, corsOrigins: origins } = options;
  const { upstream, answerCacheBytes: maxBytes, passOn, json, clock, random, proxies, room } = options;
  const limiting = rateLimits === false ? [] : [rateLimit(rateLimits)];
  const access = prove === undefined ? [keepClosed()] : [authenticate(prove), authorize()];
  const door = [observe(parts.hooks, clock), ...shedding(options)];
  const steps = [...door, deadline(parts.draining), deprecation(), ...access, ...limiting];
  const timeoutOf = timeoutsWithDefault(upstreamTimeoutMs);
  const cached = withRequestIds(cachedUpstream({ upstream, timeoutOf, maxBytes, clock }));
  return { upstream: cached, passOn, steps, timeoutOf, json, clock, random, origins, proxies, room };
}

/**
 * What the gateway sheds by is its own event loop alone. How long calls take it cannot go by, as servers do: that one service
 * is slow is no reason to refuse the calls of others, and the mesh has its bulkheads and circuits for it.
 */
function shedding({ limits, loop, clock }: RoutingOptions): readonly Step[] {
  if (limits === false) return [];
  const all = { ...limits, minInFlight: Number.POSITIVE_INFINITY };
  return [shed({ limits: all, loop: loop(), clock, exempt: new Set() })];
}

/** Asks the instance itself, by its address: another replica may be of another version. */
function readFrom(engine: Engine, tls: SessionTls): ReadContract {
  return async (instance, service, signal) => {
    const { address, scheme } = endpointOf(instance);
    await using session = engine.connect(address, scheme && { tls });
    const files = await readFiles(grpcTransport(session), service, signal);
    return files.contract(service, instance.name);
  };
}
