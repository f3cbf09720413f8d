import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import type { ListenOptions } from "./engine.ts";
import { http1Handler } from "./http1-handler.ts";
import { refuseStrangers } from "./http1-strangers.ts";
import { slowness } from "./listening.ts";
import type { NodeHandler } from "./node-handler.ts";
import { Http1Request, WebSockets, type WebSocketsOptions } from "./websocket.ts";

/** The HTTP/1.1 of one port, which `node:http` speaks. Made when somebody first comes with it: it keeps a timer. */
export class Http1 {
  readonly #onRequest: NodeHandler;
  readonly #webSockets: WebSockets;
  #server: Server | undefined;

  readonly #listening: ListenOptions;

  constructor({ handler, scheme, inFlight, clock }: WebSocketsOptions, listening: ListenOptions) {
    this.#onRequest = http1Handler(handler, scheme, inFlight);
    this.#webSockets = new WebSockets({ handler, scheme, inFlight, clock });
    this.#listening = listening;
  }

  /** Serves a connection whose peer speaks HTTP/1.1. */
  serve(socket: Socket): void {
    this.#server ??= this.#made();
    this.#server.emit("connection", socket);
  }

  /** Every answer from now on is the last of its connection; those that carry none are closed. */
  leave(): void {
    this.#onRequest.closeConnections();
    this.#webSockets.leave();
    this.#server?.closeIdleConnections();
  }

  /** Lets go of what is idle, and of the timer by which it looks after those that are slow. */
  close(): void {
    this.#webSockets.close();
    this.#server?.close();
  }

  #made(): Server {
    const options = { ...slowness(this.#listening), IncomingMessage: Http1Request };
    const server = createServer(options, this.#onRequest.handle);
    server.on("upgrade", this.#webSockets.upgrade);
    refuseStrangers(server, this.#listening);
    server.emit("listening"); // it never listens itself, and only then looks after connections that are slow
    return server;
  }
}
