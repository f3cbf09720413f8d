import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import type { Watchable } from "../base/watch.ts";
import type { HttpHandler } from "./engine.ts";
import { http1Handler } from "./http1-handler.ts";
import { hangUpOnStrangers, slowness } from "./listening.ts";
import type { NodeHandler } from "./node-handler.ts";

/** The HTTP/1.1 of one port, which `node:http` speaks. Made when somebody first comes with it: it keeps a timer. */
export class Http1 {
  readonly #onRequest: NodeHandler;
  #server: Server | undefined;

  /** `inFlight` counts what is being answered. */
  constructor(handler: HttpHandler, scheme: "http" | "https", inFlight: Watchable<number>) {
    this.#onRequest = http1Handler(handler, scheme, inFlight);
  }

  /** Serves a connection whose peer speaks HTTP/1.1. */
  serve(socket: Socket): void {
    this.#server ??= this.#made();
    this.#server.emit("connection", socket);
  }

  /** Every answer from now on is the last of its connection; those that carry none are closed. */
  leave(): void {
    this.#onRequest.closeConnections();
    this.#server?.closeIdleConnections();
  }

  /** Lets go of what is idle, and of the timer by which it looks after those that are slow. */
  close(): void {
    this.#server?.close();
  }

  #made(): Server {
    const server = createServer(slowness, this.#onRequest.handle);
    hangUpOnStrangers(server);
    server.emit("listening"); // it never listens itself, and only then looks after connections that are slow
    return server;
  }
}
