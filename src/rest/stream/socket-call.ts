import type { DescMethodStreaming, JsonValue, Message, Registry } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues, type Transport } from "@connectrpc/connect";
import type { WebSocketPeer } from "../../call/web-socket.ts";
import { unreadable } from "../refusal.ts";
import { parseJson } from "../request/body.ts";
import { callHeaders } from "../response/answer.ts";
import { knownError, statusJson } from "../response/error.ts";
import type { ResponseWriter } from "../response/response.ts";

/** A method that streams, and how its messages are read and written. */
export interface SocketMethod {
  readonly method: DescMethodStreaming;
  /** The only request, where the path has said all of it. */
  readonly request?: Message;
  read(json: JsonValue): Message;
  readonly write: ResponseWriter;
}

/** What one call over a WebSocket is made of. */
export interface SocketCallOptions extends SocketMethod {
  readonly transport: Transport;
  readonly registry: Registry;
  /** Of the request that opened the WebSocket. */
  readonly header: Headers;
  readonly contextValues: ContextValues | undefined;
  readonly peer: WebSocketPeer;
}

/** Codes that close a WebSocket: RFC 6455 §7.4.1, and those it leaves to programs. */
const closeCodes = { ended: 1000, failed: 4000 } as const;

/** One call over one WebSocket: what the peer says are its requests, and its responses are said to the peer. */
export class SocketCall {
  readonly #options: SocketCallOptions;
  readonly #stop = new AbortController();
  /** What is wrong with the peer's messages: that, and not what became of the call by it, is what the peer is told. */
  #fault: { readonly reason: unknown } | undefined;

  constructor(options: SocketCallOptions) {
    this.#options = options;
  }

  /** Makes the call and closes the WebSocket. A response is asked for when the peer has room for it. Does not reject. */
  async run(): Promise<void> {
    const { transport, method, header, contextValues, peer, write } = this.#options;
    const signal = AbortSignal.any([peer.signal, this.#stop.signal]);
    try {
      const response = await transport.stream(
        method,
        signal,
        undefined,
        callHeaders(header),
        this.#requests(),
        contextValues,
      );
      for await (const message of response.message) await peer.send(write(message));
      peer.close(closeCodes.ended, "");
    } catch (reason) {
      await this.#failed(this.#fault === undefined ? reason : this.#fault.reason).catch(() => {}); // the peer has left
    } finally {
      this.#stop.abort();
    }
  }

  async #failed(reason: unknown): Promise<void> {
    const { peer, registry } = this.#options;
    if (peer.signal.aborted) return;
    const error = knownError(reason, peer.signal);
    await peer.send(JSON.stringify({ error: statusJson(error, registry) }));
    peer.close(closeCodes.failed + error.code, error.rawMessage);
  }

  async *#requests(): AsyncGenerator<Message, void, undefined> {
    const { peer, request } = this.#options;
    try {
      if (request !== undefined) yield request;
      else yield* this.#said();
    } catch (reason) {
      if (!peer.signal.aborted) this.#fault = { reason };
      this.#stop.abort(reason);
      throw reason;
    } finally {
      peer.discard(); // nothing more is asked, but that the peer leaves is still to be heard
    }
  }

  async *#said(): AsyncGenerator<Message, void, undefined> {
    const { peer, method, read } = this.#options;
    const isSingle = method.methodKind === "server_streaming";
    for (;;) {
      const said = await peer.read();
      if (said === "" && isSingle) throw unreadable("the requests ended before the one that this method takes");
      if (said === "") return;
      yield read(jsonOf(said));
      if (isSingle) return;
    }
  }
}

function jsonOf(said: string | Uint8Array): JsonValue {
  if (typeof said === "string") return parseJson(said);
  throw new ConnectError("a binary message is not read: send JSON in text messages", Code.InvalidArgument);
}
