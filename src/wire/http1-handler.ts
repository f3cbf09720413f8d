import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { Lifetime } from "../base/lifetime.ts";
import type { Watchable } from "../base/watch.ts";
import { FieldHeaders } from "../call/field-headers.ts";
import { WholeBody } from "../call/whole-body.ts";
import type { HttpHandler } from "./engine.ts";
import { Http1Body } from "./http1-body.ts";
import { badRequest, type NodeHandler } from "./node-handler.ts";

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
  scheme: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const universal = http1Request(scheme, request, response);
    await sendHttp1(
      universal === undefined ? badRequest(`no URL: ${request.url}`) : await handler(universal),
      response,
    );
  } catch {
    response.destroy(); // the body broke off after the head was sent, or the peer left; one that is there has to see it
  }
}

/** A request of `node:http` as handlers take it; `undefined` if its target is no URL. Its body is read when somebody asks. */
export function http1Request(
  scheme: string,
  request: IncomingMessage,
  response: ServerResponse,
): UniversalServerRequest | undefined {
  const url = urlOf(scheme, request);
  if (url === undefined) return undefined;
  const wanted = new Lifetime();
  response.on("close", () => {
    if (!response.writableFinished) wanted.cancel(new ConnectError("the caller left", Code.Canceled));
  });
  const { method = "", httpVersion } = request;
  const header = headerOf(request.headers);
  return { httpVersion, method, url, header, body: bodyIn(request, response), signal: wanted.signal };
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

/** The absolute URL of the request; `undefined` if it has none. */
function urlOf(scheme: string, { url = "", headers }: IncomingMessage): string | undefined {
  const base = `${scheme}://${headers.host}`;
  if (plainHost.test(headers.host ?? "") && plainTarget.test(url) && !dotSegment.test(url)) return base + url;
  if (headers.host === undefined || !URL.canParse(url, base)) return undefined;
  return new URL(url, base).toString();
}

/** What a URL parser would leave as it is: nothing to escape, and no segment that may be dots, escaped or not. */
const dotSegment = /\/(\.|%2e)/i;
const plainTarget = /^\/[\w\-.~%/?&=+,:;@!$()*]*$/;
const plainHost = /^[\w\-.]+(:\d+)?$/;

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
