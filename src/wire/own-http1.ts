import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import type { Watchable } from "../base/watch.ts";
import type { HttpHandler, ListenOptions } from "./engine.ts";
import { http1Handler } from "./http1-handler.ts";
import { refuseStrangers } from "./http1-strangers.ts";
import { slowness } from "./listening.ts";
import type { NodeHandler } from "./node-handler.ts";

/** Who answers over HTTP/1.1, and what is told of it. */
export interface Http1Options {
  readonly handler: HttpHandler;
  readonly scheme: "http" | "https";
  readonly inFlight: Watchable<number>;
  readonly listening: ListenOptions;
}

/** The HTTP/1.1 of one port, which `node:http` speaks. Made when somebody first comes with it: it keeps a timer. */
export class Http1 {
  readonly #onRequest: NodeHandler;
  #server: Server | undefined;

  readonly #listening: ListenOptions;

  /** `inFlight` counts what is being answered. */
  constructor({ handler, scheme, inFlight, listening }: Http1Options) {
    this.#onRequest = http1Handler(handler, scheme, inFlight);
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
    this.#server?.closeIdleConnections();
  }

  /** Lets go of what is idle, and of the timer by which it looks after those that are slow. */
  close(): void {
    this.#server?.close();
  }

  #made(): Server {
    const server = createServer(slowness(this.#listening), this.#onRequest.handle);
    refuseStrangers(server, this.#listening);
    server.emit("listening"); // it never listens itself, and only then looks after connections that are slow
    return server;
  }
}
