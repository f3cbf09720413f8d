import type { IncomingMessage, ServerResponse } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Watchable } from "../base/watch.ts";
import { RequestValues } from "../call/peer.ts";
import { badRequest } from "./bad-request.ts";
import type { HttpHandler } from "./engine.ts";
import { bodyOf, hostOf, type NodeHandler, unreadable } from "./node-handler.ts";
import { badTarget, urlOf } from "./target.ts";

/**
 * Adapts a handler to `node:http`, and counts the requests it is answering. What connect-node does for both versions of
 * HTTP, for HTTP/1.1 alone and several times cheaper: a URL is parsed only where it has something to mend, and a request
 * that was answered aborts nothing.
 */
export function http1Handler(handler: HttpHandler, scheme: "http" | "https", inFlight: Watchable<number>): NodeHandler {
  let closing = false;
  return {
    handle(request, response) {
      inFlight.set(inFlight.value + 1);
      response.once("close", () => inFlight.set(inFlight.value - 1));
      if (closing) response.setHeader("connection", "close");
      response.on("error", () => {}); // the peer left; the request's signal has told the handler
      void answer(handler, scheme, request as IncomingMessage, response as ServerResponse);
    },
    closeConnections() {
      closing = true;
    },
  };
}

async function answer(
  handler: HttpHandler,
  scheme: "http" | "https",
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const target = { scheme, host: hostOf(request), target: request.url } as const;
    const url = urlOf(target);
    if (url === undefined) return await send(badRequest(400, badTarget(target)), response);
    await send(unreadable(request) ?? (await handler(universalRequest(url, request, response))), response);
  } catch {
    response.destroy(); // the body broke off after the head was sent, or the peer left; one that is there has to see it
  }
}

function universalRequest(url: string, request: IncomingMessage, response: ServerResponse): UniversalServerRequest {
  const header = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === "string") header.append(name, value);
    else for (const one of value ?? []) header.append(name, one);
  }
  const left = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) left.abort(new ConnectError("the caller left", Code.Canceled));
  });
  const { method = "", httpVersion } = request;
  const contextValues = new RequestValues(request.socket.remoteAddress);
  return { httpVersion, method, url, header, body: bodyIn(request, response), signal: left.signal, contextValues };
}

function bodyIn(request: IncomingMessage, response: ServerResponse): AsyncIterable<Uint8Array> {
  const { "content-length": length, "transfer-encoding": coding } = request.headers;
  return length === undefined && coding === undefined ? noBody : bodyOf(request, response);
}

const noBody: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {},
};

async function send(
  { status, header, body, trailer }: UniversalServerResponse,
  response: ServerResponse,
): Promise<void> {
  const fields: string[] = [];
  header?.forEach((value, name) => fields.push(name, value));
  response.writeHead(status, fields);
  const pieces = body?.[Symbol.asyncIterator]();
  if (pieces === undefined) return void response.end();
  try {
    let next = await pieces.next();
    if (!next.done && String(next.value.length) === header?.get("content-length")) return end(response, next.value);
    for (; !next.done; next = await pieces.next()) await write(response, next.value);
    const trailers = [...(trailer ?? [])];
    if (trailers.length > 0) response.addTrailers(trailers);
    response.end();
  } finally {
    pieces.return?.().catch(() => {}); // told to clean up; nothing comes of it any more
  }
}

/** Ends with all of the body. A short one is given as text of the same bytes: Node then writes it with the head, as one piece. */
function end(response: ServerResponse, body: Uint8Array): void {
  if (body.length > shortBytes) response.end(body);
  else response.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString("latin1"), "latin1");
}

const shortBytes = 16 * 1024;

/** Writes a piece, and waits for room for the next one. Rejects when the peer has left. */
async function write(response: ServerResponse, piece: Uint8Array): Promise<void> {
  if (response.destroyed) throw new ConnectError("the caller left", Code.Canceled);
  if (response.write(piece)) return;
  await new Promise<void>((resolve, reject) => {
    const drained = () => {
      response.off("close", closed);
      resolve();
    };
    const closed = () => {
      response.off("drain", drained);
      reject(new ConnectError("the caller left", Code.Canceled));
    };
    response.once("drain", drained).once("close", closed);
  });
}
