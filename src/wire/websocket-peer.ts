import { Code, ConnectError } from "@connectrpc/connect";
import type { WebSocket } from "ws";
import type { Clock, Timer } from "../base/clock.ts";
import type { WebSocketPeer } from "../call/web-socket.ts";

/** What waits on one side or the other before who feeds it is held back. */
const roomBytes = 64 * 1024;

/** How often a peer is asked whether it lives, and how long it has to say so. As long as HTTP/2 waits for who reads nothing. */
const pingMs = 30_000;

/** Longest reason that fits the frame that closes a WebSocket, RFC 6455 §5.5. */
const maxReasonBytes = 123;

/** The code of a server that goes away, RFC 6455 §7.4.1. */
const goingAway = 1001;

type Message = string | Uint8Array;

/**
 * One WebSocket of `ws`, held to its reader's pace and its writer's. Its socket stands still while messages wait to be
 * read, and `send` waits while there is too much to be sent.
 */
export class OpenWebSocket implements WebSocketPeer {
  readonly #ws: WebSocket;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  readonly #arrived: Message[] = [];
  #arrivedBytes = 0;
  #reader: PromiseWithResolvers<Message> | undefined;
  #writer: PromiseWithResolvers<void> | undefined;
  #discards = false;
  #isLeaving = false;
  #isAsked = false;
  #timer: Timer;

  constructor(ws: WebSocket, clock: Clock) {
    this.#ws = ws;
    this.#clock = clock;
    this.#timer = clock.setTimer(pingMs, this.#tick);
    ws.on("message", (data: Buffer, isBinary) => this.#took(isBinary ? data : data.toString(), data.length));
    ws.on("pong", this.#heard);
    ws.on("ping", this.#heard);
    ws.on("error", () => {}); // it has broken the protocol or gone; `ws` closes it, with the code that says why
    ws.once("close", () => this.#ended());
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  async read(): Promise<Message> {
    const message = this.#arrived.shift();
    if (message !== undefined) {
      this.#arrivedBytes -= message.length;
      return message;
    }
    this.#over.signal.throwIfAborted();
    this.#arrivedBytes = 0;
    this.#reader = Promise.withResolvers();
    this.#ws.resume();
    return this.#reader.promise;
  }

  discard(): void {
    this.#discards = true;
    this.#arrived.length = 0;
    this.#ws.resume();
  }

  async send(message: Message): Promise<void> {
    this.#over.signal.throwIfAborted();
    this.#ws.send(message, this.#sent);
    if (this.#ws.bufferedAmount <= roomBytes) return;
    this.#writer ??= Promise.withResolvers();
    return this.#writer.promise;
  }

  close(code: number, reason: string): void {
    this.discard(); // its answer to the closing has to be read
    this.#ws.close(this.#isLeaving && code !== 1000 ? goingAway : code, shortened(reason));
  }

  /** The server goes away: whatever ends from now on, save well, ends for that. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** The server has gone away. */
  end(): void {
    this.close(goingAway, "the server is going away");
  }

  #took(message: Message, bytes: number): void {
    this.#isAsked = false;
    if (this.#discards) return;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) return reader.resolve(message);
    this.#arrived.push(message);
    this.#arrivedBytes += bytes;
    if (this.#arrivedBytes > roomBytes) this.#ws.pause();
  }

  readonly #sent = (): void => {
    if (this.#writer === undefined || this.#ws.bufferedAmount > roomBytes) return;
    this.#writer.resolve();
    this.#writer = undefined;
  };

  readonly #heard = (): void => {
    this.#isAsked = false;
  };

  /** One that is held back cannot be heard, so it is not taken for dead either; if it is, the ping finds that out. */
  readonly #tick = (): void => {
    if (this.#isAsked && !this.#ws.isPaused) return this.#ws.terminate();
    this.#isAsked = true;
    this.#ws.ping();
    this.#timer = this.#clock.setTimer(pingMs, this.#tick);
  };

  #ended(): void {
    this.#timer.cancel();
    const left = new ConnectError("the caller left", Code.Canceled);
    this.#over.abort(left);
    this.#reader?.reject(left);
    this.#writer?.reject(left);
  }
}

function shortened(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= maxReasonBytes) return reason;
  return new TextDecoder().decode(bytes.subarray(0, maxReasonBytes - 3)).replace(/\uFFFD+$/, "");
}
