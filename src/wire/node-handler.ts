import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { Watchable } from "../base/watch.ts";
import { RequestValues } from "../call/peer.ts";
import type { HttpHandler } from "./engine.ts";
import { sendApart } from "./node-headers.ts";
import { sendTrailersOnly } from "./trailers-only.ts";

/** A handler as the servers of Node call it. */
export interface NodeHandler {
  readonly handle: (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ) => void;
  /** From now on HTTP/1.1 answers end their connection. */
  closeConnections(): void;
}

/** Adapts a handler to the servers of Node, and counts the requests it is answering. */
export function nodeHandler(handler: HttpHandler, inFlight: Watchable<number>): NodeHandler {
  let closing = false;
  return {
    handle(request, response) {
      inFlight.set(inFlight.value + 1);
      response.once("close", () => inFlight.set(inFlight.value - 1));
      if (closing && request.httpVersionMajor === 1) response.setHeader("connection", "close");
      response.on("error", () => {}); // the peer left; the request's signal has told the handler
      void answer(handler, request, response);
    },
    closeConnections() {
      closing = true;
    },
  };
}

async function answer(
  handler: HttpHandler,
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): Promise<void> {
  try {
    const answered = await universalAnswer(handler, request, response);
    if (sendTrailersOnly(answered, response)) return;
    if ("stream" in response) sendApart(response);
    await universalResponseToNodeResponse(answered, response);
  } catch {
    // The body broke off after the head was sent, or the peer left. A peer that is still there has to see a break.
    if ("stream" in response) response.stream?.close(0x2);
    else response.destroy();
  }
}

async function universalAnswer(
  handler: HttpHandler,
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): Promise<UniversalServerResponse> {
  let universal: ReturnType<typeof universalRequestFromNodeRequest>;
  try {
    universal = universalRequestFromNodeRequest(
      request,
      response,
      undefined,
      new RequestValues(request.socket?.remoteAddress),
    );
  } catch (reason) {
    return badRequest(ConnectError.from(reason, Code.InvalidArgument).rawMessage); // no Host header, or a target that is no URL
  }
  if ("stream" in request) return handler(universal);
  return handler({ ...universal, body: bodyOf(request, response) });
}

/** What is left of a body when its answer is out is thrown away up to here; who sends more is cut off. */
const maxUnreadBytes = 1024 * 1024;

/**
 * The body of an HTTP/1.1 request. What its reader leaves is read when the answer is out: until then the next request
 * cannot be seen behind it. Reading only a part does not end the connection either, by which the answer has yet to go.
 */
export function bodyOf(request: IncomingMessage, response: { once(event: "finish", listener: () => void): unknown }) {
  const body = request.iterator({ destroyOnReturn: false });
  const discard = async () => {
    await body.return?.();
    let left = maxUnreadBytes;
    request.on("data", (piece: Uint8Array) => {
      left -= piece.length;
      if (left < 0) request.destroy();
    });
  };
  response.once("finish", () => void discard().catch(() => {})); // the peer has left: nothing is left of the body
  return { [Symbol.asyncIterator]: () => body };
}

/** What a request is answered that has no URL. */
export function badRequest(message: string): UniversalServerResponse {
  const body = new TextEncoder().encode(JSON.stringify({ code: Code.InvalidArgument, message }));
  return {
    status: 400,
    header: new Headers({ "content-type": "application/json" }),
    body: (async function* () {
      yield body;
    })(),
  };
}
