import { DiscoveryService } from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import { serve } from "../app/run.ts";
import type { RunningServer } from "../app/running.ts";
import { openMesh } from "../mesh/mesh.ts";
import { meshMetrics } from "../telemetry/mesh-metrics.ts";
import type { Rpcs } from "../wire/grpc/rpc.ts";
import { answering } from "./answering.ts";
import { createKeyedRequests } from "./idempotency/create-keyed-requests.ts";
import { OpenParts } from "./open-parts.ts";
import { filledIn, type GatewayOptions } from "./options.ts";
import { documentationOf } from "./pages/pages.ts";
import { openBuckets } from "./routes/buckets.ts";
import { fileFleetCache, noFleetCache } from "./routes/fleet-cache.ts";
import { openRouting, type Routing } from "./routes/routing.ts";

/** An open gateway: drained when told to, as any server. */
export type Gateway = RunningServer;

/**
 * Opens a gateway: one port for every service that discovery knows, over REST, Connect, gRPC-Web and gRPC. It knows no
 * contract of its own: it asks the services, routes what appears, and needs discovery neither to start nor to go on.
 */
export async function openGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const { rateLimits, about, ...filled } = filledIn(options);
  const { tools, metrics, authenticate, upstreamTimeoutMs, json } = filled;
  const opened = new OpenParts();
  const { redisUrl, endpointTls, answers, cacheDir } = options;
  const buckets = rateLimits === true ? await openBuckets({ ...tools, redisUrl, metrics, opened }) : rateLimits;
  const mesh = opened.use(await opened.orClose(openMesh({ ...options, ...tools, hooks: meshMetrics(metrics) })));
  const keyed =
    answers && opened.use(createKeyedRequests(answers, { ...tools, authenticate, waitMs: upstreamTimeoutMs }));
  const cache = cacheDir === undefined ? noFleetCache : fileFleetCache(cacheDir, tools.log);
  const discovery = mesh.client(DiscoveryService);
  let routing: Routing | undefined;
  const rpcs: Rpcs = { get: (path) => routing?.routes.value.rpcs.get(path) };
  const starting = serve({
    port: 8_000,
    ...options,
    ...tools,
    name: "gateway",
    services: [],
    rateLimits: false, // of what it serves itself; what it passes on is limited by the steps of the routing
    metrics,
    rpcs,
    ...(authenticate && { authenticate }),
    around(own, parts) {
      const calls = { upstream: mesh.transport, passOn: mesh.call, rateLimits: buckets, endpointTls };
      const made = opened.use(openRouting({ ...tools, ...filled, ...calls, parts, discovery, cache }));
      const described = { ...about, routes: made.routes, json, log: tools.log };
      const documentation = options.docs === false ? undefined : documentationOf(described);
      const { version } = about;
      const told = { health: parts.health, version, provesCallers: authenticate !== undefined, documentation };
      routing = made;
      return answering({ ...tools, ...filled, ...told, own, routing, keyed });
    },
  });
  return closing(await opened.orClose(starting), opened);
}

/** The server, with what it stands on closed after it, whoever stopped it. */
function closing(server: RunningServer, rest: AsyncDisposable): Gateway {
  const drained = server.drained.then(() => rest[Symbol.asyncDispose]());
  const drain = async () => {
    await server.drain();
    await drained;
  };
  const { host, port, adminPort } = server;
  return { host, port, adminPort, drained, drain, [Symbol.asyncDispose]: drain };
}
