import type { UniversalClientRequest, UniversalClientResponse } from "@connectrpc/connect/protocol";
import { createNodeHttpClient } from "@connectrpc/connect-node";
import { systemClock } from "../base/clock.ts";
import { Connections } from "./connections.ts";
import type { Session, SessionOptions, SessionState } from "./engine.ts";
import type { Send } from "./grpc/rpc.ts";
import { sendOver } from "./grpc/send-over.ts";
import { NodeAttempt } from "./node-attempt.ts";
import { NodeConnection } from "./node-connection.ts";

/** A session over `node:http2`: one connection at a time for new requests, the next one when that has gone. */
export class NodeSession implements Session {
  readonly address: string;
  readonly origin: string;
  readonly clock = systemClock;
  readonly send: Send;
  readonly #connections: Connections<NodeConnection>;

  constructor(address: string, options: SessionOptions = {}) {
    this.address = address;
    this.origin = `${options.tls ? "https" : "http"}://${address}`;
    this.#connections = new Connections(address, () => new NodeConnection(address, this.origin, options), options);
    this.send = sendOver(this.request, this.origin, options);
  }

  readonly request = async (request: UniversalClientRequest): Promise<UniversalClientResponse> => {
    const connections = this.#connections;
    connections.carried.began();
    const attempt = new NodeAttempt(this.origin, request.signal, {
      connection: () => connections.take(),
      ended: () => connections.carried.ended(),
    });
    const send = createNodeHttpClient({ httpVersion: "2", sessionProvider: () => attempt });
    try {
      const response = await send(request);
      return { ...response, body: attempt.tellingProgress(response.body) };
    } catch (reason) {
      throw attempt.failed(reason);
    }
  };

  get state(): SessionState {
    return this.#connections.status.state;
  }

  onChange(listener: (state: SessionState) => void): () => void {
    return this.#connections.status.onChange(listener);
  }

  retire(): Promise<void> {
    return this.#connections.carried.retire();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connections.carried.end();
  }
}
