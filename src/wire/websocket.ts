import { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../base/clock.ts";
import type { Watchable } from "../base/watch.ts";
import { isWebSocketAnswer, type WebSocketAnswer, type WebSocketRequest } from "../call/web-socket.ts";
import type { HttpHandler } from "./engine.ts";
import { maxMessageBytes } from "./grpc/messages.ts";
import { http1Request, sendHttp1 } from "./http1-handler.ts";
import { OpenWebSocket } from "./websocket-peer.ts";

/** What the WebSockets of a port need. */
export interface WebSocketsOptions {
  readonly handler: HttpHandler;
  readonly scheme: "http" | "https";
  /** Requests being answered; a WebSocket is one until it has closed. */
  readonly inFlight: Watchable<number>;
  readonly clock: Clock;
}

/**
 * A request of HTTP/1.1 of which Node believes that it wants to leave HTTP only when it wants a WebSocket. Others that
 * do, for HTTP/2 as curl and Java's client ask at first, are answered in HTTP/1.1 (RFC 9110 §7.8), body and all.
 */
export class Http1Request extends IncomingMessage {
  declare asksToLeave: boolean | undefined; // not a field: Node assigns `upgrade` before fields are there

  get upgrade(): boolean {
    if (this.asksToLeave !== true) return false;
    return this.method === "CONNECT" || asksForWebSocket(this);
  }

  set upgrade(asked: boolean | null) {
    this.asksToLeave = asked === true;
  }
}

function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && headers.upgrade?.toLowerCase() === "websocket";
}

/**
 * The WebSockets of a port (RFC 6455), asked for in HTTP/1.1. The handler of all requests decides: an answer that opens a
 * WebSocket does, and any other is sent as it is. Messages are at most 4 MiB long (1009) and never compressed; a peer that does
 * not answer a ping in 30 s is cut off.
 */
export class WebSockets {
  readonly #options: WebSocketsOptions;
  readonly #open = new Set<OpenWebSocket>();
  readonly #answers = new WeakMap<IncomingMessage, WebSocketAnswer>();
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols: (_, request) => this.#answers.get(request)?.webSocket.protocol ?? false,
  });
  #isLeaving = false;

  constructor(options: WebSocketsOptions) {
    this.#options = options;
    this.#server.on("headers", (lines, request) => {
      this.#answers.get(request)?.header?.forEach((value, name) => lines.push(`${name}: ${value}`));
    });
  }

  /** What Node's servers are to call on `upgrade`. */
  readonly upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    const { inFlight } = this.#options;
    const socket = stream as Socket; // a port has no other
    inFlight.set(inFlight.value + 1);
    socket.once("close", () => inFlight.set(inFlight.value - 1));
    socket.on("error", () => {}); // the peer left
    void this.#answer(request, socket, head).catch(() => socket.destroy());
  };

  /** What is open may go on until it ends, and then says that it is the server that leaves. */
  leave(): void {
    this.#isLeaving = true;
    for (const open of this.#open) open.leave();
  }

  /** Ends what is still open. */
  close(): void {
    for (const open of this.#open) open.end();
  }

  async #answer(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { handler, scheme } = this.#options;
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.on("error", () => {}); // the peer left
    const universal = http1Request(scheme, request, response);
    const isRefused = "refusal" in universal;
    const answer = isRefused
      ? universal.refusal
      : await handler({ ...universal, opens: "web-socket" } as WebSocketRequest);
    if (isWebSocketAnswer(answer)) {
      response.detachSocket(socket);
      this.#answers.set(request, answer);
      return this.#server.handleUpgrade(request, socket, head, (ws) => this.#serve(ws, answer));
    }
    response.once("finish", () => socket.destroySoon()); // whatever else the peer has to say
    await sendHttp1(answer, response);
  }

  #serve(ws: WebSocket, { webSocket }: WebSocketAnswer): void {
    const open = new OpenWebSocket(ws, this.#options.clock);
    this.#open.add(open);
    ws.once("close", () => this.#open.delete(open));
    if (this.#isLeaving) open.leave();
    void webSocket.serve(open);
  }
}
