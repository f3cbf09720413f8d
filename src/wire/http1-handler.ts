import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { Lifetime } from "../base/lifetime.ts";
import type { Watchable } from "../base/watch.ts";
import { FieldHeaders } from "../call/field-headers.ts";
import { RequestValues } from "../call/peer.ts";
import { WholeBody } from "../call/whole-body.ts";
import { badRequest } from "./bad-request.ts";
import type { HttpHandler } from "./engine.ts";
import { Http1Body } from "./http1-body.ts";
import { hostOf, type NodeHandler, unreadable } from "./node-handler.ts";
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
      response.on("close", () => inFlight.set(inFlight.value - 1)); // it comes once, and `once` would cost more
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
    const asked = http1Request(scheme, request, response);
    await sendHttp1("refusal" in asked ? asked.refusal : await handler(asked), response);
  } catch {
    response.destroy(); // the body broke off after the head was sent, or the peer left; one that is there has to see it
  }
}

/** What a request that means nothing is answered, instead of being shown to anybody. */
export interface Refused {
  readonly refusal: UniversalServerResponse;
}

/** A request of `node:http` as handlers take it, or why it is none. Its body is read when somebody asks. */
export function http1Request(
  scheme: "http" | "https",
  request: IncomingMessage,
  response: ServerResponse,
): UniversalServerRequest | Refused {
  const target = { scheme, host: hostOf(request), target: request.url } as const;
  const url = urlOf(target);
  if (url === undefined) return { refusal: badRequest(400, badTarget(target)) };
  const refusal = unreadable(request);
  if (refusal !== undefined) return { refusal };
  const wanted = new Lifetime();
  response.on("close", () => {
    if (!response.writableFinished) wanted.cancel(new ConnectError("the caller left", Code.Canceled));
  });
  const { method = "", httpVersion } = request;
  const header = headerOf(request.headers);
  const contextValues = new RequestValues(request.socket.remoteAddress);
  return { httpVersion, method, url, header, body: bodyIn(request, response), signal: wanted.signal, contextValues };
}

/** As Node has put them together: it knows which fields may come once only. */
function headerOf(headers: IncomingHttpHeaders): Headers {
  const fields: string[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === "string") fields.push(name, value);
    else for (const one of value ?? []) fields.push(name, one);
  }
  return new FieldHeaders(fields);
}

function bodyIn(request: IncomingMessage, response: ServerResponse): AsyncIterable<Uint8Array> {
  const { "content-length": length, "transfer-encoding": coding } = request.headers;
  return length === undefined && coding === undefined ? noBody : new Http1Body(request, response);
}

const noBody = new WholeBody("");

/** Sends an answer, its body as fast as the peer reads it; rejects when that breaks off, or the peer leaves before its end. */
export async function sendHttp1(answer: UniversalServerResponse, response: ServerResponse): Promise<void> {
  const { status, header, body } = answer;
  if (body instanceof WholeBody) return sendWhole(answer, body, response);
  response.writeHead(status, linesOf(header));
  if (body === undefined) response.end();
  else await sendPieces(answer, body, response);
}

async function sendPieces(
  { header, trailer }: UniversalServerResponse,
  body: AsyncIterable<Uint8Array>,
  response: ServerResponse,
): Promise<void> {
  const pieces = body[Symbol.asyncIterator]();
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

function sendWhole({ status, header, trailer }: UniversalServerResponse, body: WholeBody, response: ServerResponse) {
  const lines = linesOf(header);
  const trailers = trailer === undefined ? [] : [...trailer];
  if (trailers.length > 0) response.writeHead(status, lines).addTrailers(trailers);
  else response.writeHead(status, withLength(lines, header, String(body.sizeBytes)));
  if (body.ascii !== undefined && body.sizeBytes <= shortBytes) response.end(body.ascii, "latin1");
  else end(response, body.bytes);
}

/** Names and values in turn, as Node takes them. */
function linesOf(header: Headers | undefined): string[] {
  if (header instanceof FieldHeaders) return header.fields as string[];
  const lines: string[] = [];
  header?.forEach((value, name) => lines.push(name, value));
  return lines;
}

/** With the length that the body has, whatever was said of an earlier one. */
function withLength(lines: string[], header: Headers | undefined, length: string): string[] {
  const said = header?.get("content-length") ?? undefined;
  if (said === length) return lines;
  if (said === undefined) return [...lines, "content-length", length];
  header?.set("content-length", length);
  return linesOf(header);
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
