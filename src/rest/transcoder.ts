import type { DescMethod, DescService, Registry } from "@bufbuild/protobuf";
import type { Transport, UnaryResponse } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { type Clock, systemClock } from "../base/clock.ts";
import { isWebSocketRequest, type WebSocketRequest } from "../call/web-socket.ts";
import { answerHeaders, callHeaders, jsonAnswer } from "./answer.ts";
import type { Binding } from "./binding.ts";
import { readJsonBody } from "./body.ts";
import { errorAnswer } from "./error.ts";
import { needsWebSocket, urlTooLong, wrongMethod } from "./refusal.ts";
import { contractRegistry } from "./registry.ts";
import { locationOf } from "./response.ts";
import { type Route, routesOf } from "./routes.ts";
import { streamAnswer } from "./stream/answer.ts";
import { type Cursor, cursorOf } from "./stream/cursor.ts";
import { Sockets } from "./stream/socket.ts";
import type { Found } from "./trie.ts";

/** What REST is served from: contracts with google.api.http rules, and the way to call their methods. */
export interface TranscoderOptions {
  readonly services: readonly DescService[];
  readonly transport: Transport;
  /** Larger bodies are refused with 413. If unset, 4 MiB. */
  readonly maxBodyBytes?: number;
  /** Origins whose pages may open WebSockets, beside the server's own; `*` is every one. If unset, none. */
  readonly origins?: readonly string[];
  /** What the signs of life of event streams go by. If unset, the machine's. */
  readonly clock?: Clock;
}

/** Answers a request by calling a method; `undefined` when no route has the path, so that somebody else may answer. */
export type Transcoder = (request: UniversalServerRequest) => Promise<UniversalServerResponse | undefined>;

const maxUrlLength = 16_384;
const defaultMaxBodyBytes = 4 * 1024 * 1024;

/**
 * Serves REST/JSON by the google.api.http rules of the services' methods: https://google.aip.dev/127
 *
 * It holds no socket: a server gives it requests, a Connect transport takes its calls. Everything that the contracts
 * decide is planned here, once; a contract that contradicts itself or another is refused here too, with a RuleError.
 */
export function transcoder(options: TranscoderOptions): Transcoder {
  const { services, transport, maxBodyBytes = defaultMaxBodyBytes, clock = systemClock, origins = [] } = options;
  const registry = contractRegistry(services);
  const routes = routesOf(services, registry);
  const plan: Plan = { transport, maxBodyBytes, registry, clock, cursors: cursorsOf(services) };
  const sockets = new Sockets({ services, transport, registry, origins });
  return async (request) => {
    const [path, query] = splitUrl(request.url);
    const found = routes.find(request.method, path);
    if (isWebSocketRequest(request)) return openSocket(sockets, request, { path, query, found, registry });
    if (found === undefined || (found.kind === "wrong-method" && request.method === "OPTIONS")) return undefined;
    try {
      if (found.kind === "wrong-method") throw wrongMethod(request.method, found.allow);
      if (path.length + query.length > maxUrlLength) throw urlTooLong(maxUrlLength);
      return await answer(plan, found.value, { request, segments: found.segments, query });
    } catch (reason) {
      return errorAnswer(reason, request, registry);
    }
  };
}

interface SocketPlace {
  readonly path: string;
  readonly query: string;
  readonly found: Found<Route> | undefined;
  readonly registry: Registry;
}

function openSocket(sockets: Sockets, request: WebSocketRequest, { path, query, found, registry }: SocketPlace) {
  try {
    if (found?.kind !== "found") return sockets.answer(request, path);
    return sockets.answer(request, path, { route: found.value, segments: found.segments, query });
  } catch (reason) {
    return errorAnswer(reason, request, registry);
  }
}

interface Plan {
  readonly transport: Transport;
  readonly maxBodyBytes: number;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly cursors: ReadonlyMap<DescMethod, Cursor | undefined>;
}

function cursorsOf(services: readonly DescService[]): Plan["cursors"] {
  return new Map(services.flatMap(({ methods }) => methods.map((method) => [method, cursorOf(method)] as const)));
}

interface Arrived {
  readonly request: UniversalServerRequest;
  readonly segments: readonly string[];
  readonly query: string;
}

async function answer(plan: Plan, { binding, read, write }: Route, arrived: Arrived): Promise<UniversalServerResponse> {
  const { request, segments, query } = arrived;
  const { method } = binding;
  if (method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming") throw needsWebSocket(request);
  const body = binding.body.kind === "none" ? undefined : await readJsonBody(request, plan.maxBodyBytes);
  const message = read({ body, segments, query });
  if (method.methodKind === "server_streaming")
    return streamAnswer({ ...plan, method, write, cursor: plan.cursors.get(method) }, message, request);
  const header = callHeaders(request.header);
  const response = await plan.transport.unary(
    method,
    request.signal,
    undefined,
    header,
    message,
    request.contextValues,
  );
  return unaryAnswer(binding, request, { response, json: write(response.message) });
}

interface Answered {
  readonly response: UnaryResponse;
  readonly json: string;
}

function unaryAnswer(
  { created }: Binding,
  { method }: UniversalServerRequest,
  { response, json }: Answered,
): UniversalServerResponse {
  const header = answerHeaders(response.header, response.trailer);
  if (created === undefined) return jsonAnswer(200, json, header, method);
  const location = locationOf(created, response.message);
  if (location !== undefined) header.set("location", location);
  return jsonAnswer(201, json, header, method);
}

/** Path and query of a URL that may be absolute or begin at the path, without parsing what is between. */
function splitUrl(url: string): readonly [string, string] {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  const [target = ""] = (start < 0 ? "/" : url.slice(start)).split("#", 1);
  const mark = target.indexOf("?");
  return mark < 0 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)];
}
