import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalClientRequest, UniversalClientResponse } from "@connectrpc/connect/protocol";
import type { Clock } from "../base/clock.ts";
import { withProgress } from "../call/progress.ts";
import type { Session, SessionOptions, SessionState } from "./engine.ts";
import type { Called } from "./grpc/called.ts";
import { encodedRequest } from "./grpc/caller.ts";
import type { Encoded } from "./grpc/messages.ts";
import type { Attempt, Send } from "./grpc/rpc.ts";
import type { OwnParts } from "./own.ts";
import type { Call } from "./own-call.ts";
import { OwnConnections } from "./own-connections.ts";

/** A session over our own HTTP/2. */
export class OwnSession implements Session {
  readonly address: string;
  readonly origin: string;
  readonly clock: Clock;
  readonly #options: SessionOptions;
  readonly #connections: OwnConnections;

  constructor(address: string, parts: OwnParts, options: SessionOptions = {}) {
    this.address = address;
    this.clock = parts.clock;
    this.#options = options;
    this.origin = `${options.tls ? "https" : "http"}://${address}`;
    this.#connections = new OwnConnections(address, parts, options);
  }

  readonly request = async (request: UniversalClientRequest): Promise<UniversalClientResponse> => {
    const { carried } = this.#connections;
    carried.began();
    let call: Call;
    try {
      call = await this.#connections.request(request);
    } catch (reason) {
      carried.ended();
      throw unsent(reason);
    }
    if (request.body !== undefined) void call.send(request.body);
    return call.response;
  };

  readonly send: Send = (attempt) => {
    try {
      const encoded = encodedRequest(attempt, this.#options);
      if (encoded instanceof Promise) return encoded.then((made) => this.#call(attempt, made));
      if (encoded !== undefined) attempt.sentBytes = encoded.bytes.length;
      return this.#call(attempt, encoded);
    } catch (reason) {
      return Promise.reject(reason); // it cannot be sent to anybody
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

  /** Sends it at once where nothing has to be waited for: most calls. */
  #call(attempt: Attempt, encoded: Encoded | undefined): ReturnType<Send> {
    const { carried } = this.#connections;
    carried.began();
    try {
      return this.#connections.call(attempt, encoded)?.answer ?? this.#callLater(attempt, encoded);
    } catch (reason) {
      carried.ended();
      return Promise.reject(unsent(reason));
    }
  }

  async #callLater(attempt: Attempt, encoded: Encoded | undefined): ReturnType<Send> {
    let called: Called;
    try {
      called = await this.#connections.callInTurn(attempt, encoded);
    } catch (reason) {
      this.#connections.carried.ended();
      if (attempt.lifetime.aborted) throw withProgress(ConnectError.from(reason, Code.Canceled), "not-sent");
      throw unsent(reason);
    }
    return called.answer;
  }
}

/** Nothing was sent. What no peer may be sent is not to be tried again: as if it had been processed. */
function unsent(reason: unknown): ConnectError {
  if (reason instanceof RangeError) return ConnectError.from(reason, Code.ResourceExhausted);
  if (reason instanceof TypeError) return ConnectError.from(reason, Code.Internal);
  return withProgress(ConnectError.from(reason, Code.Unavailable), "not-sent");
}
