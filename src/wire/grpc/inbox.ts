import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import { decode } from "./messages.ts";

/** Bytes of whole messages that may wait unread before the peer is held back. */
const unreadBytes = 256 * 1024;

/** What a message costs beyond its bytes while it waits. */
const overheadBytes = 64;

/** What an inbox is told by, and tells. */
export interface InboxOptions {
  readonly schema: DescMessage;
  /** Whether messages stay as they are, undecoded. By default they do not. */
  readonly isRaw?: boolean;
  /** The code of what cannot be decoded. Default INTERNAL. */
  readonly unreadable?: Code;
  /** Bytes of the body that the peer may send again. */
  readonly onConsumed: (bytes: number) => void;
  /** The reader has left before the end: because it wants no more, or because a message cannot be read. */
  readonly onLeft: (failed?: { readonly reason: unknown }) => void;
}

type Step = IteratorResult<Message, undefined>;

/**
 * The messages of one side of a stream as they arrive: put in by the wire, read by whoever wants them, decoded when they
 * are read. While the reader is behind, the peer is not told to send more.
 */
export class Inbox implements AsyncIterable<Message>, AsyncIterator<Message, undefined> {
  readonly #options: InboxOptions;
  /** Messages that wait; those that came compressed are a promise. */
  readonly #messages: (Uint8Array | Promise<Uint8Array>)[] = [];
  readonly #sizes: number[] = [];
  #unread = 0;
  /** Bytes that have arrived and that the peer was not yet told to send again. */
  #held = 0;
  #end: { readonly reason?: unknown } | undefined;
  #waiting: PromiseWithResolvers<Step> | undefined;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** So many bytes of the body have arrived, and what they held of whole messages was put in. */
  arrived(bytes: number): void {
    this.#held += bytes;
    this.#release();
  }

  /** Puts in a message, whose bytes were `size` on the wire. */
  put(message: Uint8Array | Promise<Uint8Array>, size: number): void {
    if (this.#end !== undefined) return;
    if (message instanceof Promise) message.catch(() => {}); // whoever reads it is told
    if (this.#waiting !== undefined) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve(this.#step(message));
      return;
    }
    this.#messages.push(message);
    this.#sizes.push(size + overheadBytes);
    this.#unread += size + overheadBytes;
  }

  /** No more messages come: all is well, or why not. What has arrived can still be read, unless `discard` says no. */
  end(failed?: { readonly reason: unknown }, discard = false): void {
    if (discard) this.#discard();
    if (this.#end !== undefined) return;
    this.#end = failed ?? {};
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.#over().then(waiting.resolve, waiting.reject);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    const message = this.#messages.shift();
    if (message !== undefined) {
      this.#unread -= this.#sizes.shift() ?? 0;
      this.#release();
      return this.#step(message);
    }
    if (this.#end !== undefined) return this.#over();
    if (this.#waiting !== undefined) return this.#waiting.promise.then(() => this.next()); // in the order they asked
    this.#waiting = Promise.withResolvers<Step>();
    return this.#waiting.promise;
  }

  /** The reader leaves. */
  async return(): Promise<Step> {
    this.#leave();
    return done;
  }

  async #step(message: Uint8Array | Promise<Uint8Array>): Promise<Step> {
    try {
      const bytes = message instanceof Promise ? await message : message;
      const { schema, isRaw, unreadable } = this.#options;
      return { done: false, value: decode(schema, bytes, isRaw, unreadable) };
    } catch (reason) {
      this.#leave({ reason }); // whoever reads on after an error finds the end
      throw reason;
    }
  }

  #leave(failed?: { readonly reason: unknown }): void {
    const isEarly = this.#end === undefined;
    this.end(undefined, true);
    if (isEarly) this.#options.onLeft(failed);
  }

  async #over(): Promise<Step> {
    if (this.#end !== undefined && "reason" in this.#end) {
      const { reason } = this.#end;
      this.#end = {}; // told once, as a generator does
      throw reason;
    }
    return done;
  }

  #discard(): void {
    this.#messages.length = this.#sizes.length = 0;
    this.#unread = 0;
    this.#release();
  }

  #release(): void {
    if (this.#held === 0 || this.#unread > unreadBytes) return;
    const bytes = this.#held;
    this.#held = 0;
    this.#options.onConsumed(bytes);
  }
}

const done: Step = { done: true, value: undefined };
