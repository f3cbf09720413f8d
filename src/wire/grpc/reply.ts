import type { Compression } from "@connectrpc/connect/protocol";
import { type Fields, fieldsOf } from "../../call/fields.ts";
import type { ServedCall } from "../../call/served-call.ts";
import { ErrorCode } from "../../http2/errors.ts";
import type { ServedStreamParts } from "../served-stream.ts";
import { compressed, type Encoded, encode, maxMessageBytes, sendMessage, whole } from "./messages.ts";
import type { Rpc } from "./rpc.ts";
import { answerHead, errorTrailers, okTrailers, toldError } from "./status.ts";

/**
 * What a server sends in answer to one gRPC call: a head with the first message, the messages, and trailers; or, where
 * the call fails before its first message, a head that is all there is ("Trailers-Only").
 */
export class Reply {
  /** What messages are compressed with: the caller compresses, so the answer does. */
  compression: Compression | undefined;
  readonly #parts: ServedStreamParts;
  readonly #rpc: Rpc;
  readonly #call: ServedCall;
  /** Whether the answer is one message: nobody waits for room to send another. */
  readonly #isOne: boolean;
  #wake: (() => void) | undefined;
  #hasHead = false;
  #isOver = false;

  constructor(parts: ServedStreamParts, rpc: Rpc, call: ServedCall) {
    this.#parts = parts;
    this.#rpc = rpc;
    this.#call = call;
    this.#isOne = rpc.method.methodKind === "unary" || rpc.method.methodKind === "client_streaming";
  }

  /** Whether it is complete, or nobody wants it any more: nothing can be sent. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sends one message, and promises room for the next one; nothing, if there is room. */
  send(message: unknown): Promise<void> | undefined {
    if (this.#isOver) return undefined;
    const { method } = this.#rpc;
    const bytes = encode(method.output, whole(method.output, message), maxMessageBytes);
    if (this.compression === undefined) return this.#send({ bytes, isCompressed: false });
    const encoded = compressed(bytes, this.compression);
    return encoded instanceof Promise ? encoded.then((made) => this.#send(made)) : this.#send(encoded);
  }

  /** What waited to be sent has left. */
  writable(): void {
    this.#wake?.();
  }

  /** Ends well. Throws, and has not ended, for header fields that the peer does not take or no one may send. */
  complete(): void {
    this.#sendHead();
    const own = this.#call.madeResponseTrailer;
    const trailers = own === undefined ? okTrailers : fieldsOf(okTrailers, own);
    this.#parts.http2.sendTrailers(this.#parts.stream, this.#withFields(trailers));
    this.stop();
  }

  /** Ends with an error. */
  fail(reason: unknown): void {
    this.stop();
    const { http2, stream } = this.#parts;
    const own = this.#call.madeResponseTrailer;
    try {
      this.#sendError(this.#withFields(errorTrailers(toldError(reason), own)));
    } catch {
      http2.resetStream(stream, ErrorCode.internalError); // the peer takes no such fields, or no one may send them
    }
  }

  /** Sends nothing more. */
  stop(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  #send(encoded: Encoded): Promise<void> | undefined {
    if (this.#isOver) return undefined;
    this.#sendHead();
    const { http2, stream } = this.#parts;
    if (sendMessage(http2, stream, encoded) || this.#isOne) return undefined;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #withFields(trailers: Fields): Fields {
    const { trailerFields } = this.#call;
    return trailerFields === undefined ? trailers : [...trailers, ...trailerFields];
  }

  #sendHead(): void {
    if (this.#hasHead) return;
    this.#hasHead = true;
    this.#parts.http2.sendHeaders(this.#parts.stream, answerHead, false, this.#ownHead());
  }

  #ownHead(): Fields | undefined {
    const own = this.#call.madeResponseHeader;
    if (own === undefined && this.compression === undefined) return undefined;
    return fieldsOf(this.compression === undefined ? [] : ["grpc-encoding", this.compression.name], own);
  }

  /**
   * In trailers, or in a head that is all there is. Where the handler has set headers, they are a head of their own, as
   * in grpc-go, for a client to tell them from trailers.
   */
  #sendError(trailers: Fields): void {
    const { http2, stream } = this.#parts;
    if (this.#call.aborted && stream.queuedBytes > 0) {
      http2.resetStream(stream, ErrorCode.cancel); // a caller that does not read would not hear of it before the rest
      return;
    }
    if (this.#call.madeResponseHeader?.keys().next().done === false) this.#sendHead();
    if (this.#hasHead) http2.sendTrailers(stream, trailers);
    else http2.sendHeaders(stream, answerHead, true, trailers);
  }
}
