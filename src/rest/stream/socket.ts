import type { DescMethod, DescMethodStreaming, DescService, Registry } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { WebSocketAnswer } from "../../call/web-socket.ts";
import { isTree } from "../fields.ts";
import { messageReader } from "../json/input.ts";
import { Refusal, unreadable } from "../refusal.ts";
import { callHeaders } from "../response/answer.ts";
import { type JsonOutput, responseWriter } from "../response/response.ts";
import { dottedName, type RestMethod } from "../routes/binding.ts";
import type { Route } from "../routes/routes.ts";
import { SocketCall, type SocketMethod } from "./socket-call.ts";
import { acceptOffer, checkOrigin } from "./socket-offer.ts";

/** What calls over WebSockets need. */
export interface SocketsOptions {
  readonly services: readonly DescService[];
  readonly transport: Transport;
  readonly registry: Registry;
  readonly json: JsonOutput;
  /** Origins whose pages may open WebSockets, beside the server's own. */
  readonly origins: readonly string[];
}

/** A REST route that a path has led to. */
export interface FoundRoute {
  readonly route: Route;
  readonly segments: readonly string[];
  readonly query: string;
}

/**
 * Answers requests that open WebSockets: each is one call of a method that streams, by the path of its GET rule of
 * google.api.http or by "/package.Service/Method".
 *
 * Each text message of the client is a request message as JSON, each of the server's a response. An empty message of the
 * client says that it has no more requests. Where the path of a GET rule says all of a server stream's request, the
 * client sends nothing. When the call has ended well the server closes with 1000; when it failed it sends
 * `{"error": status}`, a google.rpc.Status, and closes with 4000 + the code of gRPC. 1001: the server goes away, so ask
 * another. 1009: a message was over 4 MiB. A client that closes first cancels the call.
 *
 * The subprotocol is `heddle.json`, and may be left out. A page, which cannot set headers, hands over its token as a
 * second one: `new WebSocket(url, ["heddle.json", "bearer." + token])`.
 */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #byPath: ReadonlyMap<string, RestMethod>;

  constructor(options: SocketsOptions) {
    this.#options = options;
    const methods = options.services.flatMap(({ methods }) => methods as readonly RestMethod[]);
    this.#byPath = new Map(methods.map((method) => [`/${method.parent.typeName}/${method.name}`, method]));
  }

  /** The answer for a path, and the REST route that has it, if one does; `undefined` where nothing is. Throws Refusals. */
  answer(request: UniversalServerRequest, path: string, found?: FoundRoute): UniversalServerResponse | undefined {
    const named = this.#byPath.get(path);
    const method = named ?? found?.route.binding.method;
    if (method === undefined) return undefined;
    if (method.methodKind === "unary") throw notAStream(method);
    checkOrigin(request, this.#options.origins);
    const protocol = acceptOffer(request.header);
    const isRouted = named === undefined && found !== undefined;
    const spoken = isRouted ? routedMethod(method, found) : plainMethod(method, this.#options);
    return this.#opening(spoken, request, protocol);
  }

  #opening(method: SocketMethod, request: UniversalServerRequest, protocol: string | undefined): WebSocketAnswer {
    const { transport, registry } = this.#options;
    const header = callHeaders(request.header);
    const { contextValues } = request;
    const serve: WebSocketAnswer["webSocket"]["serve"] = (peer) =>
      new SocketCall({ ...method, transport, registry, header, contextValues, peer }).run();
    return { status: 101, header: new Headers(), webSocket: { protocol, serve } };
  }
}

function notAStream(method: DescMethod): Refusal {
  const message = `${dottedName(method)} does not stream: call it without a WebSocket`;
  return new Refusal(400, new ConnectError(message, Code.InvalidArgument));
}

/** A method by its own path: each message of the client is a whole request. */
function plainMethod(method: DescMethodStreaming, { registry, json }: SocketsOptions): SocketMethod {
  const read = messageReader(method.input, "protojson", registry);
  const write = responseWriter({ method, responseBody: undefined }, "protojson", { ...json, registry });
  return {
    method,
    write,
    read(given) {
      if (!isTree(given)) throw unreadable("a message has to be a JSON object");
      return read(given);
    },
  };
}

/** A method by a REST path: what the path says is part of each request. */
function routedMethod(method: DescMethodStreaming, { route, segments, query }: FoundRoute): SocketMethod {
  const { binding, read, write } = route;
  const isSaid = method.methodKind === "server_streaming" && binding.body.kind === "none";
  const request = isSaid ? read({ body: undefined, segments, query }) : undefined;
  return { method, write, read: (body) => read({ body, segments, query }), ...(request && { request }) };
}
