import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import type { Clock } from "../../base/clock.ts";
import type { Deadlines, Due } from "../../base/deadlines.ts";
import type { CancelListener } from "../../base/lifetime.ts";
import { runInCall } from "../../call/context.ts";
import { parseGrpcTimeout } from "../../call/deadline.ts";
import { type Fields, fieldOf, fieldsOf } from "../../call/fields.ts";
import { headers } from "../../call/headers.ts";
import { methodName } from "../../call/method.ts";
import { ServedCall } from "../../call/served-call.ts";
import { isStream } from "../../call/stream.ts";
import { ErrorCode } from "../../http2/errors.ts";
import type { Reset } from "../../http2/events.ts";
import { resetError } from "../reset-error.ts";
import type { ServedStream, ServedStreamParts } from "../served-stream.ts";
import { Inbox } from "./inbox.ts";
import { MessageReader, type MessageSink } from "./message-reader.ts";
import {
  compressed,
  compressionNamed,
  decode,
  decompressed,
  encode,
  maxMessageBytes,
  sendMessage,
  whole,
} from "./messages.ts";
import type { Rpc } from "./rpc.ts";
import { answerHead, errorTrailers, okTrailers, toldError } from "./status.ts";

/** What an exchange is a part of. */
export interface ExchangeParts extends ServedStreamParts {
  readonly deadlines: Deadlines;
  readonly clock: Clock;
}

/**
 * One gRPC call on a server, from its header fields to its trailers: the wire's side of a `ServedCall`, and its owner,
 * who knows first when it ends. The handler's answer, the deadline, the caller's leaving and a draining server all end it
 * here, whatever the handler does about its signal.
 */
export class GrpcExchange implements ServedStream, MessageSink, CancelListener, Due {
  readonly #parts: ExchangeParts;
  readonly #rpc: Rpc;
  readonly #call: ServedCall;
  readonly #reader: MessageReader;
  /** The requests, where they are a stream. */
  readonly #inbox: Inbox | undefined;
  /** The request, where it is one. */
  #input: Uint8Array | Promise<Uint8Array> | undefined;
  #compression: Compression | undefined;
  #output: AsyncIterator<unknown> | undefined;
  #wake: (() => void) | undefined;
  #hasHead = false;
  #isAnswered = false;
  #isOver = false;

  constructor(parts: ExchangeParts, rpc: Rpc, fields: Fields) {
    this.#parts = parts;
    this.#rpc = rpc;
    this.#reader = new MessageReader(this, rpc.maxRequestBytes);
    const { method } = rpc;
    const { clock, http2, stream } = parts;
    const asked = fieldOf(fields, headers.grpcTimeout);
    const timeoutMs = asked === undefined ? rpc.timeoutMs : parseGrpcTimeout(asked);
    const deadlineAt = timeoutMs === undefined ? undefined : clock.now() + Math.min(timeoutMs, rpc.maxTimeoutMs);
    this.#call = new ServedCall({
      method,
      protocolName: "grpc",
      requestMethod: "POST",
      header: fields,
      deadlineAt,
      now: clock.now,
    });
    if (method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming") {
      const onConsumed = (bytes: number) => http2.consumed(stream, bytes);
      this.#inbox = new Inbox({ schema: method.input, onConsumed, onLeft: () => {} });
    }
  }

  begin(fields: Fields): void {
    this.#call.onCancel(this);
    if (this.#call.deadlineAt !== undefined) this.#parts.deadlines.add(this.#call.deadlineAt, this);
    try {
      const asked = fieldOf(fields, headers.grpcTimeout);
      if (asked !== undefined && this.#call.deadlineAt === undefined) {
        throw new ConnectError(`${headers.grpcTimeout}: ${asked} is no span of time`, Code.InvalidArgument);
      }
      this.#compression = compressionNamed(fieldOf(fields, "grpc-encoding"));
    } catch (reason) {
      return this.#fail(reason);
    }
    if (this.#inbox !== undefined) this.#handle(this.#inbox);
  }

  // ---- what arrives ----

  data(bytes: Buffer, start: number, end: number): void {
    const { http2, stream } = this.#parts;
    if (this.#isAnswered) return http2.consumed(stream, end - start);
    try {
      this.#reader.read(bytes, start, end);
    } catch (reason) {
      http2.consumed(stream, end - start);
      return this.#fail(reason);
    }
    if (this.#inbox === undefined) http2.consumed(stream, end - start);
    else this.#inbox.arrived(end - start);
  }

  message(bytes: Uint8Array, isCompressed: boolean): void {
    const message = isCompressed ? decompressed(bytes, this.#compression, this.#rpc.maxRequestBytes) : bytes;
    if (this.#inbox !== undefined) return this.#inbox.put(message, bytes.length);
    if (this.#input !== undefined) throw new ConnectError("more than one message of a request", Code.Unimplemented);
    this.#input = message;
  }

  ended(): void {
    if (this.#isAnswered) return;
    try {
      this.#reader.end();
      if (this.#inbox !== undefined) this.#inbox.end();
      else if (this.#input === undefined) throw new ConnectError("a request without a message", Code.Unimplemented);
      else if (this.#input instanceof Promise) this.#input.then(this.#decoded).catch(this.#failed);
      else this.#decoded(this.#input);
    } catch (reason) {
      this.#fail(reason);
    }
  }

  writable(): void {
    this.#wake?.();
    if (this.#isAnswered) this.#leaveRest();
  }

  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.onOver();
  }

  reset({ code, by, reason }: Reset): void {
    const gone = by === "connection" ? new ConnectError(reason, Code.Canceled) : resetError(code, reason);
    if (!this.#isAnswered) {
      this.#isAnswered = true;
      this.#call.cancel(gone);
      this.#end(gone);
    }
    this.#wake?.();
    this.closed();
  }

  // ---- what ends it from without ----

  /** Without details, as Connect's own error has it: the caller knows why, and has most likely left. */
  expire(): void {
    const message = `${methodName(this.#rpc.method)} was not answered before its deadline`;
    this.#call.cancel(new ConnectError(message, Code.DeadlineExceeded));
  }

  canceled(reason: unknown): void {
    this.#fail(reason);
  }

  // ---- the answer ----

  readonly #decoded = (bytes: Uint8Array): void => {
    if (!this.#isAnswered) this.#handle(decode(this.#rpc.method.input, bytes));
  };

  readonly #failed = (reason: unknown): void => this.#fail(reason);

  #handle(message: unknown): void {
    this.#call.message = message;
    void runInCall(this.#call, this.#answer);
  }

  /** Runs within the call, and so does the handler, also where it is a generator that is asked for one message after the other. */
  readonly #answer = async (): Promise<void> => {
    try {
      const answer = await this.#rpc.answer(this.#call);
      if (isStream(answer)) await this.#sendAll(answer[Symbol.asyncIterator]());
      else if (!this.#isAnswered) await this.#send(answer);
      if (!this.#isAnswered) this.#complete();
    } catch (reason) {
      this.#fail(reason);
    }
  };

  async #sendAll(messages: AsyncIterator<unknown>): Promise<void> {
    this.#output = messages;
    if (this.#isAnswered) return this.#leaveOutput();
    for (let next = await messages.next(); !next.done && !this.#isAnswered; next = await messages.next()) {
      const sending = this.#send(next.value);
      if (sending !== undefined) await sending;
    }
    if (!this.#isAnswered) this.#output = undefined;
  }

  /** Sends one message, and what it promises is room for the next one; nothing, if there is room. */
  #send(message: unknown): Promise<void> | undefined {
    const { method } = this.#rpc;
    const encoded = compressed(
      encode(method.output, whole(method.output, message), maxMessageBytes),
      this.#compression,
    );
    if (encoded instanceof Promise) return encoded.then((made) => this.#sendEncoded(made));
    return this.#sendEncoded(encoded);
  }

  #sendEncoded(encoded: Parameters<typeof sendMessage>[2]): Promise<void> | undefined {
    if (this.#isAnswered) return undefined;
    this.#sendHead();
    const { http2, stream } = this.#parts;
    if (sendMessage(http2, stream, encoded) || this.#rpc.method.methodKind === "unary") return undefined;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #sendHead(): void {
    if (this.#hasHead) return;
    this.#hasHead = true;
    this.#parts.http2.sendHeaders(this.#parts.stream, answerHead, false, this.#ownHead());
  }

  #ownHead(): Fields | undefined {
    const own = this.#call.madeResponseHeader;
    if (own === undefined && this.#compression === undefined) return undefined;
    const encoding = this.#compression === undefined ? [] : ["grpc-encoding", this.#compression.name];
    return fieldsOf(encoding, own);
  }

  #complete(): void {
    this.#sendHead();
    const own = this.#call.madeResponseTrailer;
    this.#parts.http2.sendTrailers(this.#parts.stream, own === undefined ? okTrailers : fieldsOf(okTrailers, own));
    this.#isAnswered = true;
    this.#end();
    this.#leaveRest();
  }

  /**
   * Ends the call with an error: in trailers, or in a head that is all there is. Where the handler has set headers, they
   * are a head of their own, as in grpc-go, for a client to tell them from trailers.
   */
  #fail(reason: unknown): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    const { http2, stream } = this.#parts;
    try {
      this.#sendError(errorTrailers(toldError(reason), this.#call.madeResponseTrailer));
    } catch {
      http2.resetStream(stream, ErrorCode.internalError); // the peer takes no such fields, or no one may send them
      this.closed();
    }
    this.#end(reason);
    this.#wake?.();
    this.#leaveRest();
  }

  #sendError(trailers: Fields): void {
    const { http2, stream } = this.#parts;
    if (stream.queuedBytes > 0) {
      http2.resetStream(stream, ErrorCode.cancel); // the caller does not read: it would not hear of it before the rest
      this.closed();
      return;
    }
    if (this.#call.madeResponseHeader?.keys().next().done === false) this.#sendHead();
    if (this.#hasHead) http2.sendTrailers(stream, trailers);
    else http2.sendHeaders(stream, answerHead, true, trailers);
  }

  /** The call has ended, whatever is left of its stream. */
  #end(reason?: unknown): void {
    if (this.#call.deadlineAt !== undefined) this.#parts.deadlines.remove(this.#call.deadlineAt, this);
    this.#inbox?.end(reason === undefined ? undefined : { reason }, true);
    this.#call.end(reason);
    if (this.#output !== undefined) this.#leaveOutput();
  }

  #leaveOutput(): void {
    this.#output?.return?.()?.catch(() => {}); // told to clean up; nothing comes of it any more
    this.#output = undefined;
  }

  /** The answer is complete, so the rest of the request is not needed (RFC 9113 §8.1). */
  #leaveRest(): void {
    const { http2, stream } = this.#parts;
    if (this.#isOver || !stream.isRemoteOpen || stream.queuedBytes > 0) return;
    http2.resetStream(stream, ErrorCode.noError);
    this.closed();
  }
}
