import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalClientRequest, UniversalClientResponse } from "@connectrpc/connect/protocol";
import { withProgress } from "../call/progress.ts";
import { orAborted } from "../call/stream.ts";
import { Connections } from "./connections.ts";
import type { Session, SessionOptions } from "./engine.ts";
import type { Call } from "./own-call.ts";
import { OwnConnection } from "./own-connection.ts";

/** A session over our own HTTP/2: one connection at a time for new requests, the next one when that has gone. */
export class OwnSession implements Session {
  readonly address: string;
  readonly origin: string;
  readonly #connections: Connections<OwnConnection>;

  constructor(address: string, options: SessionOptions = {}) {
    this.address = address;
    this.origin = `${options.tls ? "https" : "http"}://${address}`;
    this.#connections = new Connections(address, () => new OwnConnection(address, options));
  }

  readonly request = async (request: UniversalClientRequest): Promise<UniversalClientResponse> => {
    const connections = this.#connections;
    connections.began();
    let call: Call;
    try {
      const opening = connections.take();
      const connection = await (request.signal === undefined ? opening : orAborted(opening, request.signal));
      call = await connection.send(request, () => connections.ended());
    } catch (reason) {
      connections.ended();
      throw unsent(reason);
    }
    return call.response;
  };

  retire(): Promise<void> {
    return this.#connections.retire();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connections.close();
  }
}

/** Nothing was sent. What no peer may be sent is not to be tried again: as if it had been processed. */
function unsent(reason: unknown): ConnectError {
  if (reason instanceof RangeError) return ConnectError.from(reason, Code.ResourceExhausted);
  if (reason instanceof TypeError) return ConnectError.from(reason, Code.Internal);
  return withProgress(ConnectError.from(reason, Code.Unavailable), "not-sent");
}
