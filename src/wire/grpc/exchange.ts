import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import type { Deadlines, Due } from "../../base/deadlines.ts";
import type { CancelListener } from "../../base/lifetime.ts";
import { runInCall } from "../../call/context.ts";
import { parseGrpcTimeout } from "../../call/deadline.ts";
import { type Fields, fieldOf } from "../../call/fields.ts";
import { headers } from "../../call/headers.ts";
import { methodName } from "../../call/method.ts";
import { ServedCall } from "../../call/served-call.ts";
import { isStream } from "../../call/stream.ts";
import { ErrorCode } from "../../http2/errors.ts";
import type { Reset } from "../../http2/events.ts";
import { StreamState } from "../../http2/stream.ts";
import { resetError } from "../reset-error.ts";
import type { ServedStream, ServedStreamParts } from "../served-stream.ts";
import { Inbox } from "./inbox.ts";
import { MessageReader, type MessageSink } from "./message-reader.ts";
import { compressionNamed, decode, decompressed, unreadableRequest } from "./messages.ts";
import { Reply } from "./reply.ts";
import type { Room, Rpc } from "./rpc.ts";

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
  #inputBytes = 0;
  /** What is counted of the request. */
  #heldBytes = 0;
  readonly #reply: Reply;
  #output: AsyncIterator<unknown> | undefined;
  #isOver = false;

  constructor(parts: ExchangeParts, rpc: Rpc, fields: Fields) {
    this.#parts = parts;
    this.#rpc = rpc;
    this.#reader = new MessageReader(this, rpc.maxRequestBytes);
    const { method } = rpc;
    const { clock, http2, stream, peer } = parts;
    const asked = fieldOf(fields, headers.grpcTimeout);
    const timeoutMs = asked === undefined ? rpc.timeoutMs : parseGrpcTimeout(asked);
    const arrivedAt = clock.now();
    const deadlineAt = timeoutMs === undefined ? undefined : arrivedAt + Math.min(timeoutMs, rpc.maxTimeoutMs);
    this.#call = new ServedCall({
      method,
      protocolName: "grpc",
      requestMethod: "POST",
      header: fields,
      peer,
      deadlineAt,
      arrivedAt,
      now: clock.now,
    });
    this.#reply = new Reply(parts, rpc, this.#call);
    if (method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming") {
      const onConsumed = (bytes: number) => http2.consumed(stream, bytes);
      const read = { schema: method.input, isRaw: rpc.isRaw === true, unreadable: unreadableRequest };
      this.#inbox = new Inbox({ ...read, onConsumed, onLeft: () => {} });
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
      this.#reply.compression = compressionNamed(fieldOf(fields, "grpc-encoding"));
    } catch (reason) {
      return this.#fail(reason);
    }
    if (this.#inbox === undefined) return;
    try {
      this.#rpc.admit?.(this.#call);
    } catch (reason) {
      return this.#fail(reason);
    }
    this.#handle(this.#inbox);
  }

  // ---- what arrives ----

  data(bytes: Buffer, start: number, end: number): void {
    const { http2, stream } = this.#parts;
    if (this.#reply.isOver) return http2.consumed(stream, end - start);
    try {
      this.#reader.read(bytes, start, end);
      if (this.#rpc.room !== undefined) this.#hold(this.#rpc.room);
    } catch (reason) {
      http2.consumed(stream, end - start);
      return this.#fail(reason);
    }
    if (this.#inbox === undefined) http2.consumed(stream, end - start);
    else this.#inbox.arrived(end - start);
  }

  message(bytes: Uint8Array, isCompressed: boolean): void {
    const message = isCompressed ? decompressed(bytes, this.#reply.compression, this.#rpc.maxRequestBytes) : bytes;
    if (this.#inbox !== undefined) return this.#inbox.put(message, bytes.length);
    if (this.#input !== undefined) throw new ConnectError("more than one message of a request", Code.Unimplemented);
    this.#input = message;
    this.#inputBytes = bytes.length;
  }

  ended(): void {
    if (this.#reply.isOver) return;
    try {
      this.#reader.end();
      if (this.#inbox !== undefined) return this.#inbox.end();
      if (this.#input === undefined) throw new ConnectError("a request without a message", Code.Unimplemented);
      this.#rpc.admit?.(this.#call);
      if (this.#input instanceof Promise) this.#input.then(this.#decoded).catch(this.#failed);
      else this.#decoded(this.#input);
    } catch (reason) {
      this.#fail(reason);
    }
  }

  writable(): void {
    this.#reply.writable();
    if (this.#reply.isOver) this.#leaveRest();
  }

  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#heldBytes > 0) this.#rpc.room?.grown(-this.#heldBytes);
    this.#parts.onOver();
  }

  reset(reset: Reset): void {
    const gone = reset.by === "connection" ? new ConnectError(reset.reason, Code.Canceled) : resetError(reset);
    if (!this.#reply.isOver) {
      this.#reply.stop();
      this.#call.cancel(gone);
      this.#end(gone);
    }
    this.closed();
  }

  /** Counts what is held of the request: a message that is not whole, and one that waits to be answered. */
  #hold(room: Room): void {
    const heldBytes = this.#reader.unfinishedBytes + this.#inputBytes;
    const problem = room.grown(heldBytes - this.#heldBytes);
    if (problem !== undefined) throw problem;
    this.#heldBytes = heldBytes;
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
    if (!this.#reply.isOver) this.#handle(decode(this.#rpc.method.input, bytes, this.#rpc.isRaw, unreadableRequest));
  };

  readonly #failed = (reason: unknown): void => this.#fail(reason);

  #handle(message: unknown): void {
    this.#call.message = message;
    void runInCall(this.#call, this.#answer);
  }

  /** Runs within the call, and so does a handler that is a generator, which runs where it is asked for the next message. */
  readonly #answer = async (): Promise<void> => {
    try {
      const answer = await this.#rpc.answer(this.#call);
      if (isStream(answer)) await this.#sendAll(answer[Symbol.asyncIterator]());
      else await this.#reply.send(answer);
      if (this.#reply.isOver) return;
      this.#reply.complete();
      this.#end();
    } catch (reason) {
      this.#fail(reason ?? new Error("the handler threw nothing"));
    }
  };

  async #sendAll(messages: AsyncIterator<unknown>): Promise<void> {
    const reply = this.#reply;
    this.#output = messages;
    if (reply.isOver) return this.#leaveOutput();
    for (let next = await messages.next(); !next.done && !reply.isOver; next = await messages.next()) {
      const sending = reply.send(next.value);
      if (sending !== undefined) await sending;
    }
    if (!reply.isOver) this.#output = undefined;
  }

  #fail(reason: unknown): void {
    if (this.#reply.isOver) return;
    this.#reply.fail(reason);
    this.#end(reason);
  }

  /** The call has ended, whatever is left of its stream. */
  #end(reason?: unknown): void {
    if (this.#call.deadlineAt !== undefined) this.#parts.deadlines.remove(this.#call.deadlineAt, this);
    this.#inbox?.end(reason === undefined ? undefined : { reason }, true);
    this.#call.end(reason);
    if (this.#output !== undefined) this.#leaveOutput();
    this.#leaveRest();
  }

  #leaveOutput(): void {
    this.#output?.return?.()?.catch(() => {}); // told to clean up; nothing comes of it any more
    this.#output = undefined;
  }

  /** The answer is complete, so the rest of the request is not needed (RFC 9113 §8.1). */
  #leaveRest(): void {
    const { http2, stream } = this.#parts;
    if (this.#isOver || stream.queuedBytes > 0) return;
    if (stream.isRemoteOpen) http2.resetStream(stream, ErrorCode.noError);
    if (stream.state === StreamState.closed) this.closed(); // also where the reply had to reset it
  }
}
