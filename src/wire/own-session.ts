import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalClientRequest, UniversalClientResponse } from "@connectrpc/connect/protocol";
import type { Clock } from "../base/clock.ts";
import { withProgress } from "../call/progress.ts";
import { orAborted } from "../call/stream.ts";
import { Connections } from "./connections.ts";
import type { Session, SessionOptions } from "./engine.ts";
import type { Called } from "./grpc/called.ts";
import { encodedRequest } from "./grpc/caller.ts";
import type { Encoded } from "./grpc/messages.ts";
import type { Attempt, Send } from "./grpc/rpc.ts";
import type { OwnParts } from "./own.ts";
import type { Call } from "./own-call.ts";
import { OwnConnection } from "./own-connection.ts";

/** A session over our own HTTP/2: one connection at a time for new requests, the next one when that has gone. */
export class OwnSession implements Session {
  readonly address: string;
  readonly origin: string;
  readonly clock: Clock;
  readonly #options: SessionOptions;
  readonly #connections: Connections<OwnConnection>;

  constructor(address: string, parts: OwnParts, options: SessionOptions = {}) {
    this.address = address;
    this.clock = parts.clock;
    this.#options = options;
    this.origin = `${options.tls ? "https" : "http"}://${address}`;
    this.#connections = new Connections(address, () => new OwnConnection(address, parts, options));
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

  readonly send: Send = (attempt) => {
    try {
      const encoded = encodedRequest(attempt, this.#options);
      return encoded instanceof Promise
        ? encoded.then((made) => this.#call(attempt, made))
        : this.#call(attempt, encoded);
    } catch (reason) {
      return Promise.reject(reason); // it cannot be sent to anybody
    }
  };

  retire(): Promise<void> {
    return this.#connections.retire();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connections.close();
  }

  /** Sends it at once where nothing has to be waited for: most calls. */
  #call(attempt: Attempt, encoded: Encoded | undefined): ReturnType<Send> {
    const connections = this.#connections;
    connections.began();
    try {
      const { current } = connections;
      const called = current?.isReady ? current.call(attempt, encoded, this.#ended) : undefined;
      return called?.answer ?? this.#callLater(attempt, encoded);
    } catch (reason) {
      connections.ended();
      return Promise.reject(unsent(reason));
    }
  }

  async #callLater(attempt: Attempt, encoded: Encoded | undefined): ReturnType<Send> {
    let called: Called;
    try {
      const connection = await orAborted(this.#connections.take(), attempt.lifetime.signal);
      called = await connection.callInTurn(attempt, encoded, this.#ended);
    } catch (reason) {
      this.#connections.ended();
      if (attempt.lifetime.aborted) throw withProgress(ConnectError.from(reason, Code.Canceled), "not-sent");
      throw unsent(reason);
    }
    return called.answer;
  }

  readonly #ended = (): void => this.#connections.ended();
}

/** Nothing was sent. What no peer may be sent is not to be tried again: as if it had been processed. */
function unsent(reason: unknown): ConnectError {
  if (reason instanceof RangeError) return ConnectError.from(reason, Code.ResourceExhausted);
  if (reason instanceof TypeError) return ConnectError.from(reason, Code.Internal);
  return withProgress(ConnectError.from(reason, Code.Unavailable), "not-sent");
}
