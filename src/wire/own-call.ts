import { Code, ConnectError } from "@connectrpc/connect";
import {
  getAbortSignalReason,
  type UniversalClientRequest,
  type UniversalClientResponse,
} from "@connectrpc/connect/protocol";
import { type Fields, fieldOf, headersOf } from "../call/fields.ts";
import { type Progress, withProgress } from "../call/progress.ts";
import type { Connection } from "../http2/connection.ts";
import { ErrorCode } from "../http2/errors.ts";
import type { Reset } from "../http2/events.ts";
import type { Stream } from "../http2/stream.ts";
import { Body } from "./body.ts";
import type { CalledStream } from "./called-stream.ts";
import { resetError } from "./reset-error.ts";

/** One request that a client has sent, and its answer. */
export class Call implements CalledStream {
  /** Resolves with the head of the answer; rejects with a ConnectError that knows how far the request got. */
  readonly response: Promise<UniversalClientResponse>;
  readonly #http2: Connection;
  readonly #stream: Stream;
  readonly #signal: AbortSignal | undefined;
  readonly #body: Body;
  readonly #trailer = new Headers();
  readonly #answered = Promise.withResolvers<UniversalClientResponse>();
  readonly #onOver: () => void;
  #source: AsyncIterator<Uint8Array> | undefined;
  #wake: (() => void) | undefined;
  #isOver = false;

  /** `onOver` is called once, when nothing more comes of it, either way. */
  constructor(http2: Connection, stream: Stream, { signal }: UniversalClientRequest, onOver: () => void) {
    this.#http2 = http2;
    this.#stream = stream;
    this.#signal = signal;
    this.#onOver = onOver;
    this.#body = new Body(
      (bytes) => http2.consumed(stream, bytes),
      () => this.#read(),
    );
    this.response = this.#answered.promise;
    signal?.addEventListener("abort", this.#leave, { once: true });
  }

  /** Sends the request's body, as far as anybody still wants it. */
  async send(body: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      const pieces = body[Symbol.asyncIterator]();
      this.#source = pieces;
      for (let next = await pieces.next(); !next.done && !this.#isOver; next = await pieces.next()) {
        await this.#sendPiece(next.value);
      }
      if (!this.#isOver) this.#http2.sendData(this.#stream, nothing, true);
    } catch (reason) {
      this.#fail(ConnectError.from(reason), ErrorCode.cancel); // the caller's own body broke off
    }
  }

  headers(fields: Fields): void {
    const status = Number(fieldOf(fields, ":status"));
    this.#answered.resolve({ status, header: headersOf(fields), body: this.#body, trailer: this.#trailer });
  }

  data(bytes: Buffer, start: number, end: number): void {
    this.#body.push(bytes.subarray(start, end));
  }

  trailers(fields: Fields): void {
    headersOf(fields).forEach((value, name) => this.#trailer.append(name, value));
  }

  writable(): void {
    this.#wake?.();
  }

  ended(): void {
    this.#body.end();
    if (this.#stream.isLocalOpen) this.#http2.resetStream(this.#stream, ErrorCode.cancel);
    this.#end();
  }

  reset(reset: Reset, lost: (why: string) => ConnectError): void {
    const { code, by, reason, isUnprocessed } = reset;
    const error = by === "connection" ? lost(reason) : resetError(reset);
    this.#failed(error, isUnprocessed || code === ErrorCode.refusedStream ? "refused" : "processed");
  }

  async #sendPiece(piece: Uint8Array): Promise<void> {
    if (this.#http2.sendData(this.#stream, piece, false) || this.#isOver) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  /** The caller has left. What has arrived of an answer that is complete is held no longer. */
  readonly #leave = (): void => {
    if (this.#isOver) return this.#body.discard();
    const reason = this.#signal && getAbortSignalReason(this.#signal);
    this.#fail(ConnectError.from(reason, Code.Canceled), ErrorCode.cancel);
  };

  /** The answer's reader is done: what is left of the answer nobody wants. */
  #read(): void {
    this.#fail(new ConnectError("the answer was left before its end", Code.Canceled), ErrorCode.cancel);
    this.#signal?.removeEventListener("abort", this.#leave);
  }

  #fail(error: ConnectError, code: number): void {
    if (this.#isOver) return;
    this.#http2.resetStream(this.#stream, code);
    this.#failed(error, "processed");
  }

  #failed(error: ConnectError, progress: Progress): void {
    const told = withProgress(error, progress);
    this.#answered.reject(told);
    this.#body.end({ reason: told });
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#body.isEmpty) this.#signal?.removeEventListener("abort", this.#leave);
    this.#wake?.();
    this.#source?.return?.().catch(() => {}); // told to clean up; nothing comes of it any more
    this.#onOver();
  }
}

const nothing = new Uint8Array();
