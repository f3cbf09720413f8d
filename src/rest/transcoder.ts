import type { DescMethod, DescService, JsonValue, Registry } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { type Clock, systemClock } from "../base/clock.ts";
import { isWebSocketRequest, type WebSocketRequest } from "../call/web-socket.ts";
import { rawAnswer } from "./raw/answer.ts";
import { rawStreamAnswer } from "./raw/stream.ts";
import { type UploadResponse, upload } from "./raw/upload.ts";
import { needsWebSocket, urlTooLong, wrongMethod } from "./refusal.ts";
import { contractRegistry } from "./registry.ts";
import { readJsonBody, readRawBody, refuseBody } from "./request/body.ts";
import { answerHeaders, callHeaders, jsonAnswer } from "./response/answer.ts";
import { errorAnswer } from "./response/error.ts";
import type { JsonOutput } from "./response/response.ts";
import type { Binding } from "./routes/binding.ts";
import { type Route, routesOf } from "./routes/routes.ts";
import { isPlainPost, rpcRoutesOf } from "./routes/rpc-routes.ts";
import type { Found } from "./routes/trie.ts";
import { streamAnswer } from "./stream/answer.ts";
import { type Cursor, cursorOf } from "./stream/cursor.ts";
import { Sockets } from "./stream/socket.ts";
import { splitUrl } from "./url.ts";

/** What REST is served from: contracts with google.api.http rules, and the way to call their methods. */
export interface TranscoderOptions {
  readonly services: readonly DescService[];
  readonly transport: RestTransport;
  /** Larger bodies are refused with 413. If unset, 4 MiB. */
  readonly maxBodyBytes?: number;
  /** How answers are written. If unset, as protojson has it, with every field. */
  readonly json?: JsonOutput;
  /** Origins whose pages may open WebSockets, beside the server's own; `*` is every one. If unset, none. */
  readonly origins?: readonly string[];
  /** What the signs of life of event streams go by. If unset, the machine's. */
  readonly clock?: Clock;
}

/** A Connect transport that may have a shorter way for answers of which only the JSON is wanted. */
export interface RestTransport extends Transport {
  /**
   * As `unary`, answering with a RawMessage: what it holds is written as JSON without being made a message first. Its
   * request may be a RawMessage as well.
   */
  readonly unaryRaw?: Transport["unary"];
}

/** Answers a request by calling a method; `undefined` when no route has the path, so that somebody else may answer. */
export type Transcoder = (request: UniversalServerRequest) => Promise<UniversalServerResponse | undefined>;

/** Longer paths and queries are refused with 414. */
export const maxUrlLength = 16_384;
const defaultMaxBodyBytes = 4 * 1024 * 1024;

/**
 * Serves REST/JSON by the google.api.http rules of the services' methods: https://google.aip.dev/127
 *
 * A method without a rule is reached by `POST /package.Service/Method`. It holds no socket: a server gives it requests,
 * a Connect transport takes its calls. Everything that the contracts decide is planned here, once; a contract that
 * contradicts itself or another is refused here too, with a RuleError.
 *
 * Streams come as lines of JSON, events or an array, by `Accept`. Requests that an engine of ours can open a WebSocket for
 * are answered by one, which carries one call of a method that streams.
 */
export function transcoder(options: TranscoderOptions): Transcoder {
  const { services, transport, maxBodyBytes = defaultMaxBodyBytes, json = {} } = options;
  const { clock = systemClock, origins = [] } = options;
  const registry = contractRegistry(services);
  const routes = routesOf(services, { registry, json });
  const rpcs = rpcRoutesOf(services, { registry, json });
  const plan: Plan = { transport, maxBodyBytes, registry, clock, cursors: cursorsOf(services) };
  const sockets = new Sockets({ services, transport, registry, json, origins });
  return async (request) => {
    const [path, query] = splitUrl(request.url);
    const routed = routes.find(request.method, path);
    if (isWebSocketRequest(request)) return openSocket(sockets, request, { path, query, found: routed, registry });
    const found = routed ?? foundRpc(rpcs.get(path), request);
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

/** RPC paths belong to the handlers of their protocols, but for plain JSON. */
function foundRpc(value: Route | undefined, request: UniversalServerRequest): Found<Route> | undefined {
  return value !== undefined && isPlainPost(request) ? { kind: "found", value, segments: [] } : undefined;
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
  readonly transport: RestTransport;
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

async function answer(plan: Plan, route: Route, arrived: Arrived): Promise<UniversalServerResponse> {
  const { request, segments, query } = arrived;
  const { binding, read, encode, write, rawOf } = route;
  const { method } = binding;
  const isRaw = binding.body.kind === "raw";
  if (method.methodKind === "client_streaming" && isRaw)
    return unaryAnswer(route, request, await upload(route, { ...plan, ...arrived, method }));
  if (method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming") throw needsWebSocket(request);
  const reading = isRaw ? undefined : readBody(binding, request, plan.maxBodyBytes);
  const body = reading && (await reading);
  const raw = isRaw ? await readRawBody(request, plan.maxBodyBytes) : undefined;
  const { transport } = plan;
  const askRaw = method.methodKind === "unary" && rawOf === undefined ? transport.unaryRaw : undefined;
  const bytes = askRaw !== undefined && query === "" ? encode?.(segments) : undefined;
  const message = bytes ?? read({ body, raw, segments, query });
  if (method.methodKind === "server_streaming") {
    if (rawOf !== undefined) return rawStreamAnswer({ ...plan, method, rawOf }, message, request);
    return streamAnswer({ ...plan, method, write, cursor: plan.cursors.get(method) }, message, request);
  }
  const header = callHeaders(request.header);
  const { signal, contextValues } = request;
  const response =
    askRaw === undefined
      ? await transport.unary(method, signal, undefined, header, message, contextValues)
      : await askRaw(method, signal, undefined, header, message, contextValues);
  return unaryAnswer(route, request, response);
}

function readBody(
  { body, httpMethod }: Binding,
  request: UniversalServerRequest,
  maxBodyBytes: number,
): Promise<JsonValue | undefined> | undefined {
  if (body.kind !== "none") return readJsonBody(request, maxBodyBytes);
  return withoutBody.has(httpMethod) ? undefined : refuseBody(request, maxBodyBytes);
}

/** Methods whose bodies mean nothing (RFC 9110 §9.3): one that is sent all the same is left alone. */
const withoutBody = new Set(["GET", "HEAD", "DELETE", "*"]);

function unaryAnswer(
  { binding: { created }, write, rawOf, locationOf }: Route,
  request: UniversalServerRequest,
  response: UploadResponse,
): UniversalServerResponse {
  const header = answerHeaders(response.header, response.trailer);
  const location = locationOf?.(response.message);
  if (location !== undefined) header.set("location", location);
  const status = created === undefined ? 200 : 201;
  if (rawOf !== undefined) return rawAnswer(rawOf(response.message), header, { status, request });
  return jsonAnswer(status, write(response.message), header, request.method);
}
