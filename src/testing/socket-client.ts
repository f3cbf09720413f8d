import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import WebSocket, { type ClientOptions } from "ws";

/** What a WebSocket was closed with. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket's client for tests: what it hears waits to be taken, and it may stop to listen. */
export class SocketClient implements AsyncDisposable {
  readonly ws: WebSocket;
  /** Settles when the WebSocket has closed. */
  readonly closed: Promise<Closing>;
  /** Those of the answer that opened it. */
  headers: IncomingHttpHeaders = {};
  readonly #heard: string[] = [];
  #wake = Promise.withResolvers<void>();

  private constructor(ws: WebSocket) {
    this.ws = ws;
    this.closed = new Promise((resolve) => {
      ws.once("close", (code, reason: Buffer) => {
        resolve({ code, reason: reason.toString() });
        this.#wake.resolve();
      });
    });
    ws.once("upgrade", ({ headers }) => {
      this.headers = headers;
    });
    ws.on("message", (data: Buffer) => {
      this.#heard.push(data.toString());
      this.#wake.resolve();
    });
    ws.on("error", () => {}); // told by `closed`
  }

  /** Opens one. Rejects with "Unexpected server response: 404" when it is refused. */
  static async open(url: string, protocols: string[] = [], options: ClientOptions = {}): Promise<SocketClient> {
    const ws = new WebSocket(url, protocols, { rejectUnauthorized: false, perMessageDeflate: true, ...options });
    const client = new SocketClient(ws);
    await once(ws, "open");
    return client;
  }

  /** Says something: text as it is, anything else as JSON. */
  say(message: unknown): void {
    this.ws.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** The next thing it hears, parsed; `undefined` when the WebSocket has closed without. */
  async hear(): Promise<unknown> {
    while (this.#heard.length === 0 && this.ws.readyState !== WebSocket.CLOSED) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
    const heard = this.#heard.shift();
    return heard === undefined ? undefined : JSON.parse(heard);
  }

  /** All that it hears until it has closed. */
  async rest(): Promise<unknown[]> {
    await this.closed;
    return this.#heard.splice(0).map((text) => JSON.parse(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ws.terminate();
    await this.closed;
  }
}

/** How a request to open a WebSocket is refused: status and body. */
export async function refusalOf(url: string, protocols: string[] = [], options: ClientOptions = {}) {
  const ws = new WebSocket(url, protocols, { rejectUnauthorized: false, ...options });
  const [, response] = await once(ws, "unexpected-response");
  let text = "";
  for await (const piece of response) text += piece;
  return { status: response.statusCode as number, headers: response.headers, text };
}
