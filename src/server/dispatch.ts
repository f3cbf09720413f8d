import type { DescService } from "@bufbuild/protobuf";
import type { Interceptor, Transport } from "@connectrpc/connect";
import {
  createUniversalHandlerClient,
  type UniversalHandler,
  type UniversalHandlerFn,
  type UniversalServerRequest,
  type UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { createTransport } from "@connectrpc/connect/protocol-connect";
import type { Clock } from "../base/clock.ts";
import { peerKey, RequestValues } from "../call/peer.ts";
import { isWebSocketRequest } from "../call/web-socket.ts";
import { transcoder } from "../rest/transcoder.ts";
import type { HttpHandler } from "../wire/engine.ts";
import { maxMessageBytes } from "../wire/grpc/messages.ts";
import { jsonAnswer, nothingHere } from "./answers.ts";
import { saidInFull } from "./bare-answers.ts";
import { refusedQuery } from "./connect-query.ts";
import type { HealthState } from "./health.ts";
import { type TimeLimitOptions, timeLimited } from "./time-limit.ts";

/** What a port has to offer. */
export interface DispatchOptions {
  readonly handlers: readonly UniversalHandler[];
  readonly services: readonly DescService[];
  readonly health: HealthState;
  readonly clock: Clock;
  readonly name?: string;
  readonly version?: string;
  readonly fallback?: HttpHandler;
}

/** Finds who answers a request: an RPC by its path, `/health`, a REST path, the fallback, in this order. */
export function dispatcher({ handlers, services, health, clock, fallback, ...about }: DispatchOptions): HttpHandler {
  const rpcs = rpcsByPath(handlers, { clock });
  const rest = transcoder({ services, transport: inProcess([...rpcs.values()]), maxBodyBytes: maxMessageBytes, clock });
  return async (request) => {
    const path = pathOf(request.url);
    const rpc = isWebSocketRequest(request) ? undefined : rpcs.get(path);
    if (rpc !== undefined) return refusedQuery(request) ?? saidInFull(await rpc(request), request, rpc);
    if (path === "/health" && request.method === "GET") return healthPage(health, about);
    const answered = await rest(request);
    return answered ?? fallback?.(request) ?? nothingHere(request);
  };
}

/** The handlers of RPCs by their paths, "/shop.user.v1.UserService/GetUser", each under the time limit of its method. */
export function rpcsByPath(
  handlers: readonly UniversalHandler[],
  limits: TimeLimitOptions,
): ReadonlyMap<string, UniversalHandler> {
  return new Map(handlers.map((handler) => [handler.requestPath, limited(handler, limits)]));
}

function limited(handler: UniversalHandler, limits: TimeLimitOptions): UniversalHandler {
  const answer = (request: UniversalServerRequest): Promise<UniversalServerResponse> =>
    handler(timeLimited(request, handler.method, limits));
  return sameAs(handler, answer);
}

function sameAs(handler: UniversalHandler, answer: UniversalHandlerFn): UniversalHandler {
  return Object.assign(answer, {
    protocolNames: handler.protocolNames,
    service: handler.service,
    method: handler.method,
    requestPath: handler.requestPath,
    allowedMethods: handler.allowedMethods,
    supportedContentType: handler.supportedContentType,
  });
}

/** Calls the handlers without a socket, through all their steps. */
function inProcess(handlers: UniversalHandler[]): Transport {
  return createTransport({
    httpClient: createUniversalHandlerClient(handlers.map(withPeer)),
    baseUrl: "http://in-process",
    useBinaryFormat: true,
    interceptors: [tellPeer],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: Number.MAX_SAFE_INTEGER,
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
  });
}

/** Tells the handler in a header, for there is no other way, who sent the request. */
const tellPeer: Interceptor = (next) => (req) => {
  req.header.set(peerHeader, req.contextValues.get(peerKey) ?? "");
  return next(req);
};

function withPeer(handler: UniversalHandler): UniversalHandler {
  return sameAs(handler, (request) => {
    const peer = request.header.get(peerHeader) || undefined;
    request.header.delete(peerHeader);
    return handler({ ...request, contextValues: new RequestValues(peer) });
  });
}

const peerHeader = "x-heddle-peer";

/** The page that load balancers and people look at. */
function healthPage({ serving }: HealthState, { name, version }: Pick<DispatchOptions, "name" | "version">) {
  const status = serving.value ? "healthy" : "unhealthy";
  return jsonAnswer(serving.value ? 200 : 503, { status, service: name ?? "", version: version ?? "" });
}

/** "/v1/users" of "http://host:port/v1/users?page_size=5", without parsing the rest. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  return query === -1 ? url.slice(start) : url.slice(start, query);
}
