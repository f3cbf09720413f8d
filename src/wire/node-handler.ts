import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { Watchable } from "../base/watch.ts";
import { WholeBody } from "../call/whole-body.ts";
import type { HttpHandler } from "./engine.ts";
import { Http1Body } from "./http1-body.ts";
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
    universal = universalRequestFromNodeRequest(request, response, undefined, undefined);
  } catch (reason) {
    return badRequest(ConnectError.from(reason, Code.InvalidArgument).rawMessage); // no Host header, or a target that is no URL
  }
  if ("stream" in request) return handler(universal);
  return handler({ ...universal, body: new Http1Body(request, response as ServerResponse) });
}

/** What a request is answered that has no URL. */
export function badRequest(message: string): UniversalServerResponse {
  const body = new WholeBody(JSON.stringify({ code: Code.InvalidArgument, message }));
  return { status: 400, header: new Headers({ "content-type": "application/json" }), body };
}
