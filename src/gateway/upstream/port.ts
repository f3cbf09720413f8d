import type { DescService } from "@bufbuild/protobuf";
import { createConnectRouter } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { Health } from "../../../gen/grpc/health/v1/health_pb.ts";
import { isWebSocketRequest } from "../../call/web-socket.ts";
import { contractRegistry } from "../../rest/registry.ts";
import { transcoder } from "../../rest/transcoder.ts";
import { saidInFull } from "../../server/bare-answers.ts";
import { refusedQuery } from "../../server/connect-query.ts";
import { pathOf, rpcsByPath } from "../../server/dispatch.ts";
import { reflectionServices } from "../../server/reflection.ts";
import { throughSteps } from "../../server/through-steps.ts";
import { compressions } from "../../wire/grpc/compressions.ts";
import { maxMessageBytes } from "../../wire/grpc/messages.ts";
import { forwarding } from "./forward.ts";
import { requestIdKey } from "./request-ids.ts";
import { restUpstream } from "./rest-upstream.ts";
import { isNotCached } from "./unread.ts";
import type { WayUpstream } from "./way.ts";
import { WebCall } from "./web/web-call.ts";
import { WebProtocols } from "./web/web-protocols.ts";

/** Answers a request, or leaves it to somebody else. */
export type Answerer = (request: UniversalServerRequest) => Promise<UniversalServerResponse | undefined>;

/**
 * Answers for the services over Connect, gRPC-Web, gRPC and REST, by calling them; and tells of them by reflection.
 * Throws a RuleError if their REST paths contradict each other.
 */
export function answererOf(services: readonly DescService[], way: WayUpstream): Answerer {
  const router = createConnectRouter({
    interceptors: [throughSteps(way.steps, way.clock)],
    acceptCompression: [...compressions],
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
    jsonOptions: { registry: contractRegistry(services) },
  });
  for (const service of services) router.service(service, forwarding(service, way.upstream));
  const passedOn = new Set(services.map(({ typeName }) => typeName));
  for (const [service, implementation] of reflectionServices([...services, Health])) {
    router.service(service, implementation);
  }
  const rpcs = rpcsByPath(router.handlers, way);
  const protocols = new WebProtocols(contractRegistry(services));
  const { json = {}, origins = [], clock } = way;
  const limits = { maxBodyBytes: maxMessageBytes, origins, clock };
  const rest = transcoder({ services, transport: restUpstream(way), ...limits, json });
  const answerOrPass = async (rpc: UniversalHandler, request: UniversalServerRequest) => {
    const isUnread = passedOn.has(rpc.service.typeName) && isNotCached(rpc.method);
    const passing = isUnread && passedThrough(request, { rpc, protocols, way });
    return passing || answerRpc(rpc, request);
  };
  return (request) => {
    const rpc = isWebSocketRequest(request) ? undefined : rpcs.get(pathOf(request.url));
    return rpc === undefined ? rest(request) : answerOrPass(rpc, request);
  };
}

interface Passing {
  readonly rpc: UniversalHandler;
  readonly protocols: WebProtocols;
  readonly way: WayUpstream;
}

/** Hands a call in binary on as bytes; `undefined` for one whose messages have to be read here, or that is none. */
function passedThrough(
  request: UniversalServerRequest,
  { rpc: { method }, protocols, way }: Passing,
): Promise<UniversalServerResponse> | undefined {
  if (request.method !== "POST") return undefined;
  if (request.contextValues?.get(requestIdKey) !== undefined) return undefined; // which goes into the message
  const protocol = protocols.of(request.header.get("content-type") ?? "", method);
  const call = protocol && WebCall.begin(request, method, { way, protocol });
  return call && protocol.answer(call);
}

async function answerRpc(rpc: UniversalHandler, request: UniversalServerRequest): Promise<UniversalServerResponse> {
  return refusedQuery(request) ?? saidInFull(await rpc(request), request, rpc);
}
