import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { type Fields, fieldOf, fieldsOf, headersOf } from "../call/fields.ts";
import { RequestValues } from "../call/peer.ts";
import { WholeBody } from "../call/whole-body.ts";
import type { Connection } from "../http2/connection.ts";
import { ErrorCode } from "../http2/errors.ts";
import type { Reset } from "../http2/events.ts";
import type { Stream } from "../http2/stream.ts";
import { badRequest } from "./bad-request.ts";
import { Body } from "./body.ts";
import type { HttpHandler } from "./engine.ts";
import { resetError } from "./reset-error.ts";
import type { ServedStream, ServedStreamParts } from "./served-stream.ts";
import { badTarget, urlOf } from "./target.ts";
import { trailersOnly } from "./trailers-only.ts";

/** One request that a server answers. */
export class Exchange implements ServedStream {
  readonly #http2: Connection;
  readonly #stream: Stream;
  readonly #body: Body;
  readonly #over = new AbortController();
  readonly #onOver: () => void;
  #isOver = false;
  #wake: (() => void) | undefined;

  readonly #handler: HttpHandler;
  readonly #scheme: "http" | "https";
  readonly #peer: string | undefined;

  constructor({ http2, stream, peer, onOver }: ServedStreamParts, handler: HttpHandler, scheme: "http" | "https") {
    this.#http2 = http2;
    this.#stream = stream;
    this.#peer = peer;
    this.#onOver = onOver;
    this.#handler = handler;
    this.#scheme = scheme;
    this.#body = new Body((bytes) => http2.consumed(stream, bytes));
  }

  begin(fields: Fields): void {
    void this.#answer(fields);
  }

  data(bytes: Buffer, start: number, end: number): void {
    this.#body.push(bytes.subarray(start, end));
  }

  ended(): void {
    this.#body.end();
  }

  writable(): void {
    this.#wake?.();
  }

  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onOver();
  }

  reset(reset: Reset): void {
    const gone = reset.by === "connection" ? new ConnectError(reset.reason, Code.Canceled) : resetError(reset);
    this.#body.end({ reason: gone });
    this.#over.abort(gone);
    this.#wake?.();
    this.closed();
  }

  /** Answers by the handler. What cannot be told in an answer any more is told by a reset. */
  async #answer(fields: Fields): Promise<void> {
    try {
      const host = fieldOf(fields, ":authority") ?? fieldOf(fields, "host");
      const target = { scheme: this.#scheme, host, target: fieldOf(fields, ":path") };
      const url = urlOf(target);
      const method = fieldOf(fields, ":method") ?? "";
      if (url && fieldOf(fields, "expect") === "100-continue") this.#http2.sendHeaders(this.#stream, goOn, false);
      const request = url && this.#request(fields, method, url);
      await this.#send(request ? await this.#handler(request) : badRequest(400, badTarget(target)), method === "HEAD");
      this.#end(ErrorCode.noError); // RFC 9113 §8.1: the answer is complete, so the rest of the request is not needed
    } catch {
      this.#end(ErrorCode.internalError); // the body broke off, or the handler rejected
    } finally {
      this.#body.discard();
    }
  }

  /** Resets the stream, if it is not over by now. */
  #end(code: number): void {
    if (this.#isOver) return;
    this.#http2.resetStream(this.#stream, code);
    this.#over.abort(new ConnectError("the answer has ended", Code.Canceled));
    this.#body.end({ reason: this.#over.signal.reason });
    this.closed();
  }

  #request(fields: Fields, method: string, url: string): UniversalServerRequest {
    const contextValues = new RequestValues(this.#peer);
    const header = headersOf(fields);
    return { httpVersion: "2.0", method, url, header, body: this.#body, signal: this.#over.signal, contextValues };
  }

  /** Sends head, body and trailers. The head waits for the first piece: until then a handler may set headers. */
  async #send(answer: UniversalServerResponse, isHead: boolean): Promise<void> {
    const { status, header, body, trailer } = answer;
    const head = [":status", String(status)];
    const failure = trailersOnly(answer);
    if (failure !== undefined) return this.#http2.sendHeaders(this.#stream, fieldsOf(head, failure), true);
    if (body instanceof WholeBody && trailer === undefined)
      return this.#sendWhole(answer, isHead ? nothing : body.bytes);
    const pieces = body?.[Symbol.asyncIterator]();
    try {
      let piece = await pieces?.next();
      const isEmpty =
        isHead || ((piece === undefined || piece.done === true) && [...(trailer?.keys() ?? [])].length === 0);
      this.#http2.sendHeaders(this.#stream, fieldsOf(head, header), isEmpty);
      if (isEmpty) return;
      for (; piece !== undefined && !piece.done; piece = await pieces?.next()) await this.#sendPiece(piece.value);
      this.#sendEnd(trailer);
    } finally {
      pieces?.return?.().catch(() => {}); // told to clean up; nothing comes of it any more
    }
  }

  async #sendWhole({ status, header }: UniversalServerResponse, bytes: Uint8Array): Promise<void> {
    this.#http2.sendHeaders(this.#stream, fieldsOf([":status", String(status)], header), bytes.length === 0);
    if (bytes.length === 0) return;
    await this.#sendPiece(bytes); // it may be more than the peer has room for
    this.#sendEnd(undefined);
  }

  async #sendPiece(piece: Uint8Array): Promise<void> {
    this.#over.signal.throwIfAborted();
    if (this.#http2.sendData(this.#stream, piece, false)) return;
    this.#over.signal.throwIfAborted(); // it was too much
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#over.signal.throwIfAborted();
  }

  #sendEnd(trailer: Headers | undefined): void {
    const fields = fieldsOf([], trailer);
    if (fields.length > 0) this.#http2.sendTrailers(this.#stream, fields);
    else this.#http2.sendData(this.#stream, nothing, true);
  }
}

const nothing = new Uint8Array();

const goOn = Object.freeze([":status", "100"]);
