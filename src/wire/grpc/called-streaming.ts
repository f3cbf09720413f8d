import type { ConnectError, StreamResponse } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { type Fields, headersOf } from "../../call/fields.ts";
import { Called, type CalledParts } from "./called.ts";
import { Inbox } from "./inbox.ts";
import { compressed, encode, sendMessage, whole } from "./messages.ts";
import type { Attempt } from "./rpc.ts";

/** One attempt of a streaming call: requests go as they come, and so do answers. */
export class CalledStreaming extends Called {
  readonly #inbox: Inbox;
  readonly #trailer = new Headers();
  readonly #compression: Compression | undefined;
  #source: AsyncIterator<unknown> | undefined;
  #wake: (() => void) | undefined;
  #hasBegun = false;

  constructor(parts: CalledParts, attempt: Attempt, compression?: Compression) {
    super(parts, attempt);
    this.#compression = compression;
    this.#inbox = new Inbox({
      schema: attempt.method.output,
      isRaw: attempt.isRaw === true,
      onConsumed: (bytes) => parts.http2.consumed(parts.stream, bytes),
      onLeft: (failed) => (failed === undefined ? this.#left() : this.fail(failed.reason)),
    });
  }

  /** Sends the requests, as far as anybody still wants them. */
  async send(messages: AsyncIterable<unknown>): Promise<void> {
    const { http2, stream } = this.parts;
    try {
      const source = messages[Symbol.asyncIterator]();
      this.#source = source;
      for (let next = await source.next(); !next.done && !this.isOver; next = await source.next()) {
        await this.#sendOne(next.value);
      }
      this.#source = undefined;
      if (!this.isOver) http2.sendData(stream, nothing, true);
    } catch (reason) {
      this.fail(reason); // the caller's own messages broke off, or one cannot be sent
    }
  }

  writable(): void {
    this.#wake?.();
  }

  protected began(head: Fields): void {
    this.#hasBegun = true;
    const { method } = this.attempt;
    const answer = { stream: true, service: method.parent, method, message: this.#inbox, header: headersOf(head) };
    this.answered.resolve({ ...answer, trailer: this.#trailer } as unknown as StreamResponse);
  }

  protected arrived(bytes: number): void {
    this.#inbox.arrived(bytes);
  }

  protected received(message: Uint8Array | Promise<Uint8Array>, size: number): void {
    this.#inbox.put(message, size);
  }

  protected succeeded(_head: Fields, tail: Fields | undefined): void {
    this.#fillTrailer(tail);
    this.#inbox.end();
    this.attempt.onStreamEnd?.();
  }

  protected failed(error: ConnectError): void {
    this.#inbox.end({ reason: error });
    if (this.#hasBegun) this.attempt.onStreamEnd?.(error);
  }

  protected override finish(): void {
    super.finish();
    this.#wake?.();
    this.#source?.return?.()?.catch(() => {}); // told to clean up; nothing comes of it any more
    this.#source = undefined;
  }

  override trailers(fields: Fields): void {
    super.trailers(fields);
    this.#fillTrailer(fields);
  }

  #fillTrailer(fields: Fields | undefined): void {
    if (fields !== undefined) headersOf(fields).forEach((value, name) => this.#trailer.set(name, value));
  }

  async #sendOne(message: unknown): Promise<void> {
    const { http2, stream, maxMessageBytes } = this.parts;
    const { input } = this.attempt.method;
    const encoded = await compressed(encode(input, whole(input, message), maxMessageBytes), this.#compression);
    if (this.isOver || sendMessage(http2, stream, encoded) || this.isOver) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  /** The reader wants no more: neither does anybody else. */
  #left(): void {
    if (this.isOver) return;
    this.attempt.onStreamEnd?.();
    this.finish();
  }
}

const nothing = new Uint8Array();
