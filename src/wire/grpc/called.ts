import { Code, ConnectError, type StreamResponse, type UnaryResponse } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import type { Clock } from "../../base/clock.ts";
import type { CancelListener } from "../../base/lifetime.ts";
import { type Fields, fieldOf } from "../../call/fields.ts";
import { type Progress, withProgress } from "../../call/progress.ts";
import { ErrorCode } from "../../http2/errors.ts";
import type { Reset } from "../../http2/events.ts";
import type { CalledStream, CalledStreamParts } from "../called-stream.ts";
import { resetError } from "../reset-error.ts";
import { orLate } from "./late.ts";
import { MessageReader, type MessageSink } from "./message-reader.ts";
import { compressionNamed, decompressed } from "./messages.ts";
import type { Attempt } from "./rpc.ts";
import { answerError, headError, withoutStatus } from "./status.ts";

/** What a called RPC is a part of. */
export interface CalledParts extends CalledStreamParts {
  readonly clock: Clock;
  /** The largest message taken, in bytes. */
  readonly maxMessageBytes: number;
}

/**
 * One attempt of a gRPC call on a client, from its request to the status of its answer: what unary and streaming ones
 * have in common. It ends once: with the answer's status, a reset, or its caller's leaving.
 */
export abstract class Called implements CalledStream, MessageSink, CancelListener {
  /** Resolves with the answer; rejects with a ConnectError that knows how far the request got. */
  readonly answer: Promise<UnaryResponse | StreamResponse>;
  protected readonly parts: CalledParts;
  protected readonly attempt: Attempt;
  protected readonly answered = Promise.withResolvers<UnaryResponse | StreamResponse>();
  protected isOver = false;
  readonly #reader: MessageReader;
  readonly #sentAt: number;
  #head: Fields | undefined;
  #hasBody = false;
  #tail: Fields | undefined;
  #compression: Compression | undefined;

  constructor(parts: CalledParts, attempt: Attempt) {
    this.parts = parts;
    this.#sentAt = parts.clock.now();
    this.attempt = attempt;
    this.answer = this.answered.promise;
    this.#reader = new MessageReader(this, parts.maxMessageBytes);
    attempt.lifetime.onCancel(this);
  }

  /** The answer has begun well. */
  protected abstract began(head: Fields): void;
  /** A message of the answer has arrived. Throws for one too many. */
  protected abstract received(message: Uint8Array | Promise<Uint8Array>, size: number): void;
  /** The answer has ended well. Throws if it is not what it has to be. */
  protected abstract succeeded(head: Fields, tail: Fields | undefined): void;
  /** It has failed. */
  protected abstract failed(error: ConnectError): void;
  /** So many bytes of the answer have been taken in. */
  protected abstract arrived(bytes: number): void;
  abstract writable(): void;

  headers(fields: Fields, isAll: boolean): void {
    this.#head = fields;
    if (this.isOver) return;
    const error = headError(isAll ? fields : withoutStatus(fields));
    if (error !== undefined) return this.fail(error);
    try {
      this.#compression = compressionNamed(fieldOf(fields, "grpc-encoding"));
      this.began(fields);
    } catch (reason) {
      this.fail(reason);
    }
  }

  data(bytes: Buffer, start: number, end: number): void {
    this.#hasBody ||= end > start;
    if (this.isOver) return this.parts.http2.consumed(this.parts.stream, end - start);
    try {
      this.#reader.read(bytes, start, end);
    } catch (reason) {
      this.parts.http2.consumed(this.parts.stream, end - start);
      return this.fail(reason);
    }
    this.arrived(end - start);
  }

  message(bytes: Uint8Array, isCompressed: boolean): void {
    const { maxMessageBytes } = this.parts;
    this.received(isCompressed ? decompressed(bytes, this.#compression, maxMessageBytes) : bytes, bytes.length);
  }

  trailers(fields: Fields): void {
    this.#tail = fields;
  }

  ended(): void {
    if (this.isOver) return;
    const isHeadAlone = this.#tail === undefined && !this.#hasBody;
    const head = isHeadAlone ? (this.#head ?? []) : withoutStatus(this.#head ?? []);
    try {
      const error = answerError(head, this.#tail);
      if (error !== undefined) throw error;
      this.#reader.end(Code.Internal);
      this.succeeded(head, this.#tail);
    } catch (reason) {
      return this.fail(reason);
    }
    this.finish();
  }

  reset(reset: Reset, lost: (why: string) => ConnectError): void {
    const { code, by, reason, isUnprocessed } = reset;
    const error = by === "connection" ? lost(reason) : orLate(resetError(reset), this.attempt, this.#tookMs());
    const isRefused = isUnprocessed || code === ErrorCode.refusedStream;
    this.fail(error, isRefused ? "refused" : "processed");
  }

  /** The caller has left. */
  canceled(reason: unknown): void {
    this.fail(ConnectError.from(reason, Code.Canceled));
  }

  #tookMs(): number {
    return this.parts.clock.now() - this.#sentAt;
  }

  /** Ends the attempt with an error, and what is left of its stream. */
  protected fail(reason: unknown, progress: Progress = "processed"): void {
    if (this.isOver) return;
    const error = withProgress(ConnectError.from(reason, Code.Internal), progress);
    this.failed(error);
    this.answered.reject(error);
    this.finish();
  }

  /** Nothing more comes of it. */
  protected finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    const { http2, stream, onOver } = this.parts;
    this.attempt.lifetime.offCancel(this);
    http2.resetStream(stream, ErrorCode.cancel); // does nothing where both sides have ended
    onOver();
  }
}
