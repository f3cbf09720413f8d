import type { Server as Http1Server, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "../base/log.ts";
import { refusalOf } from "./bad-request.ts";

/** What is refused before anybody sees a request, by Node's name for it. */
const refusals: Readonly<Record<string, readonly [status: number, phrase: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large", "the head of the request is longer than 16 KiB"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "Payload Too Large", "the chunk extensions of the request are too long"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout", "the request took too long to arrive"],
};

/** What happens to requests that never become one: they cannot be read, or ask for what is no resource. */
export interface StrangersOptions {
  readonly log?: Logger | undefined;
}

/**
 * Hangs up without a word on whoever begins with a line that is no HTTP: it may have been meant as the preface of
 * HTTP/2, to which an answer in HTTP/1.1 is one more broken frame (RFC 9113 §3.4). Other requests that cannot be read
 * are refused, unless that could end up in the middle of an answer; so is whoever wants a tunnel. Node would answer without
 * a word on why, and without an id by which the refusal is found in the log.
 */
export function refuseStrangers(http1: Http1Server, { log }: StrangersOptions = {}): void {
  const latest = new WeakMap<Duplex, Latest>();
  http1.on("request", (request: IncomingMessage, response: ServerResponse) => {
    latest.set(request.socket, { request, response });
  });
  http1.on("clientError", (error: UnreadableRequest, socket) => {
    const line = /^[^\r\n]*/.exec(error.rawPacket?.toString("latin1") ?? "")?.[0] ?? "";
    const isStranger = error.code === "HPE_INVALID_METHOD" && !/ HTTP\/1/.test(line);
    const owed = answerOwed(latest.get(socket), socket);
    if (owed === "being told") return void (socket as Socket).destroySoon();
    if (isStranger || !socket.writable || owed === "to another") return void socket.destroy();
    const unread = [400, "Bad Request", "the request is not HTTP/1.1 as RFC 9112 has it"] as const;
    const refusal = refusals[error.code ?? ""] ?? unread;
    hangUp(socket, refusal, log);
  });
  http1.on("connect", (_request: IncomingMessage, socket: Duplex) => {
    hangUp(socket, [405, "Method Not Allowed", "CONNECT is not allowed here: this is no proxy"], log);
  });
  http1.on("checkExpectation", ({ headers }: IncomingMessage, response: ServerResponse) => {
    const { text, header } = refusalOf(
      417,
      `nobody here meets the expectation ${headers.expect}: send 100-continue, or none`,
    );
    response.writeHead(417, [...header.flat(), "connection", "close"]).end(text);
  });
}

/** The request that came last on a connection, and its answer. */
interface Latest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Whether a refusal would come in the place of an answer. It would not where the body of the latest request is what cannot
 * be read, and nobody has answered that yet; an answer that is whole already and only has to leave is left to do so.
 */
function answerOwed(latest: Latest | undefined, socket: Duplex): "no" | "to another" | "being told" {
  if (latest === undefined || latest.response.writableFinished) return "no";
  const { request, response } = latest;
  const isItsTurn = response.socket === socket && !request.complete;
  if (isItsTurn && response.writableEnded) return "being told";
  const hasBegun = response.headersSent && (socket as Socket).bytesWritten + socket.writableLength > 0;
  return isItsTurn && !hasBegun ? "no" : "to another";
}

/** Node's error, with the bytes that it is about. */
interface UnreadableRequest extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer;
}

function hangUp(socket: Duplex, [status, phrase, message]: readonly [number, string, string], log?: Logger): void {
  const { text, header } = refusalOf(status, message);
  const peer = (socket as Partial<Socket>).remoteAddress;
  const requestId = header.find(([name]) => name === "x-request-id")?.[1];
  log?.warn("a request was refused unread", { status, reason: message, peer, requestId });
  const lines = header.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.on("error", () => {}); // it may have left by now
  socket.end(`HTTP/1.1 ${status} ${phrase}\r\nConnection: close\r\n${lines}\r\n${text}`, () => socket.destroy());
}
