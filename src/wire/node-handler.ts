import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { Watchable } from "../base/watch.ts";

import { RequestValues } from "../call/peer.ts";
import { badRequest } from "./bad-request.ts";

import type { HttpHandler } from "./engine.ts";
import { Http1Body } from "./http1-body.ts";
import { sendApart } from "./node-headers.ts";
import { badTarget, urlOf } from "./target.ts";
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
  const isHttp2 = "stream" in request;
  const scheme = (request.socket as Partial<TLSSocket>).encrypted ? "https" : "http";
  const target = { scheme, host: isHttp2 ? request.authority : hostOf(request), target: request.url } as const;
  const url = urlOf(target);
  if (url === undefined) return badRequest(400, badTarget(target));
  const values = new RequestValues(request.socket.remoteAddress);
  if (isHttp2) return handler({ ...universalRequestFromNodeRequest(request, response, undefined, values), url });
  const refused = unreadable(request);
  if (refused !== undefined) return refused;
  const universal = universalRequestFromNodeRequest(request, response, undefined, values);
  return handler({ ...universal, url, body: new Http1Body(request, response as ServerResponse) });
}

/** The one `Host` of an HTTP/1.1 request. Several are none (RFC 9112 §3.2): Node would take the first, others the last. */
export function hostOf({ headers, rawHeaders }: IncomingMessage): string | undefined {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === "host") count++;
  }
  return count === 1 ? headers.host : undefined;
}

/** Refuses an HTTP/1.1 body in a coding that nobody here undoes: to pass it on as it is would be to take it for another. */
export function unreadable({ headers }: IncomingMessage): UniversalServerResponse | undefined {
  const coding = headers["transfer-encoding"];
  if (coding === undefined || coding.toLowerCase() === "chunked") return undefined;
  return badRequest(501, `Transfer-Encoding ${coding} is not read here: send chunked, or Content-Length`);
}
