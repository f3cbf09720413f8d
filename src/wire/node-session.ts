import type { UniversalClientRequest, UniversalClientResponse } from "@connectrpc/connect/protocol";
import { createNodeHttpClient } from "@connectrpc/connect-node";
import { unavailable } from "../call/errors.ts";
import type { Session, SessionOptions } from "./engine.ts";
import { NodeAttempt } from "./node-attempt.ts";
import { NodeConnection } from "./node-connection.ts";

/** Connections that one request may wait for: the one that is there, and another when that one is on its leave. */
const maxConnections = 2;

/** A session over `node:http2`: one connection at a time for new requests, the next one when that has gone. */
export class NodeSession implements Session {
  readonly address: string;
  readonly origin: string;
  readonly #options: SessionOptions;
  /** Those that are not gone: at most one that takes requests, and others that finish what they carry. */
  readonly #connections = new Set<NodeConnection>();
  #current: NodeConnection | undefined;
  #carried = 0;
  #retired = false;
  readonly #over = Promise.withResolvers<void>();

  constructor(address: string, options: SessionOptions = {}) {
    this.address = address;
    this.origin = `${options.tls ? "https" : "http"}://${address}`;
    this.#options = options;
  }

  readonly request = async (request: UniversalClientRequest): Promise<UniversalClientResponse> => {
    this.#carried++;
    const attempt = new NodeAttempt(this.origin, request.signal, {
      connection: () => this.#open(),
      ended: () => this.#ended(),
    });
    const send = createNodeHttpClient({ httpVersion: "2", sessionProvider: () => attempt });
    try {
      const response = await send(request);
      return { ...response, body: attempt.tellingProgress(response.body) };
    } catch (reason) {
      throw attempt.failed(reason);
    }
  };

  retire(): Promise<void> {
    this.#retired = true;
    this.#closeIfDone();
    return this.#over.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.close(new Error("the session is closed"));
    this.#over.resolve();
  }

  /** A connection that has opened and takes requests. */
  async #open(): Promise<NodeConnection> {
    for (let tried = 0; tried < maxConnections; tried++) {
      const connection = this.#connection();
      await connection.opened;
      if (connection.usable && (await connection.alive())) return connection;
    }
    const message = `${this.address} takes no more requests: it is going away`;
    throw unavailable(message, { reason: "GOING_AWAY", domain: "heddle" });
  }

  #connection(): NodeConnection {
    if (this.#current?.usable) return this.#current;
    const made = new NodeConnection(this.address, this.origin, this.#options);
    this.#current = made;
    this.#connections.add(made);
    made.onGone(() => this.#connections.delete(made));
    return made;
  }

  #ended(): void {
    this.#carried--;
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (!this.#retired || this.#carried > 0) return;
    for (const connection of this.#connections) connection.close();
    this.#over.resolve();
  }
}
