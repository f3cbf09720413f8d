import { type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Progress, withProgress } from "../call/progress.ts";
import type { NodeConnection } from "./node-connection.ts";
import { apart } from "./node-headers.ts";
import { resetError } from "./reset-error.ts";

/** RFC 9113 §7: the peer did nothing with the stream. */
const refusedStream = 0x7;

/** RFC 9113 §7: the peer has had too much; to gRPC RESOURCE_EXHAUSTED, of which Connect knows nothing. */
const enhanceYourCalm = 0xb;

/** What an attempt needs of its session. */
export interface AttemptHost {
  /** A connection that takes requests. */
  connection(): Promise<NodeConnection>;
  /** Called once, when the request's stream is closed, or when it will never have one. */
  ended(): void;
}

/** One request on the way to its stream: the session that connect-node's client is shown. It knows how far it got. */
export class NodeAttempt {
  readonly authority: string;
  readonly #signal: AbortSignal | undefined;
  readonly #host: AttemptHost;
  #connection: NodeConnection | undefined;
  #stream: ClientHttp2Stream | undefined;
  #complete = false;
  #failed = false;

  constructor(authority: string, signal: AbortSignal | undefined, host: AttemptHost) {
    this.authority = authority;
    this.#signal = signal;
    this.#host = host;
  }

  async request(method: string, path: string, headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream> {
    try {
      this.#connection = await this.#host.connection();
      // Its caller was told that nothing was sent: so nothing may be.
      if (this.#failed) throw new ConnectError("given up before it was sent", Code.Canceled);
      this.#stream = this.#connection.request({ ...apart(headers), ":method": method, ":path": path });
    } catch (reason) {
      this.#host.ended();
      throw this.failed(reason);
    }
    this.#stream.once("trailers", () => {
      this.#complete = true;
    });
    this.#stream.once("close", () => this.#host.ended());
    return this.#forgiving(this.#stream);
  }

  /** Once the answer is complete nobody wants the rest of the request (RFC 9113 §8.1): that it cannot be written is no error. */
  #forgiving(stream: ClientHttp2Stream): ClientHttp2Stream {
    const { write } = stream;
    const forgiving = (chunk: Uint8Array, encoding: BufferEncoding, done: (error?: Error | null) => void) =>
      write.call(stream, chunk, encoding, (error) => {
        if (!error || !this.#complete) done(error);
      });
    return Object.assign(stream, { write: forgiving });
  }

  notifyResponseByteRead(): void {
    this.#connection?.heard();
  }

  /** The error as a ConnectError that knows how far the request got. */
  failed(reason: unknown): ConnectError {
    this.#failed = true;
    return withProgress(this.#told(reason), this.#progress());
  }

  /** The body, whose breaking off is an error that knows how far the request got. */
  async *tellingProgress(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    try {
      yield* body;
    } catch (reason) {
      if (!this.#isWhole()) throw this.failed(reason);
    }
    if (this.#stream?.rstCode && !this.#complete)
      throw this.failed(new ConnectError("the answer broke off", Code.Unavailable));
  }

  /** Whether all of the answer has been read; a stream that is closed before it says "end" is an error to Node all the same. */
  #isWhole(): boolean {
    return this.#complete && this.#stream?.rstCode === constants.NGHTTP2_NO_ERROR && this.#stream.readableLength === 0;
  }

  /** Lost connections and refused streams are UNAVAILABLE, whatever Node makes of them; unless the caller has left. */
  #told(reason: unknown): ConnectError {
    if (this.#signal?.aborted) return ConnectError.from(reason, Code.Unavailable);
    if (this.#stream?.rstCode === refusedStream)
      return new ConnectError("the peer refused the request", Code.Unavailable);
    if (this.#stream?.rstCode === enhanceYourCalm)
      return resetError({ code: enhanceYourCalm, reason: "the peer asked for calm", isUnprocessed: false });
    const connection = this.#stream && this.#connection;
    return connection?.gone ? connection.error() : ConnectError.from(reason, Code.Unavailable);
  }

  #progress(): Progress {
    if (this.#stream === undefined || this.#stream.id === undefined) return "not-sent";
    return this.#stream.rstCode === refusedStream ? "refused" : "processed";
  }
}
