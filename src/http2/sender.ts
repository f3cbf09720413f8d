import type { HeaderWriter } from "./header-writer.ts";
import type { Now } from "./limits.ts";
import type { Output } from "./output.ts";
import { maxWindowBytes } from "./settings.ts";
import { noQueue, type Stream } from "./stream.ts";

/** Bodies stop entering the output when so much waits there: it is the socket's turn. */
const highWaterBytes = 256 * 1024;
/** Longest DATA frame, whatever more a peer would take: the others want their turn. */
const maxFrameBytes = 64 * 1024;

/** What is no longer than this is copied where it has to wait: prefixes of messages, which their sender uses again. */
const shortBytes = 16;

/** What the sender tells of a stream's body. */
export interface SenderEvents {
  /** All that waited has left, and someone was asked to wait for it. */
  drained(stream: Stream): void;
  /** The last frame of our side has left. */
  sentEnd(stream: Stream): void;
  /** A DATA frame with so many bytes has left. */
  sentData(bytes: number): void;
}

/** What a sender works with. */
export interface SenderOptions {
  readonly output: Output;
  readonly headers: HeaderWriter;
  readonly events: SenderEvents;
  readonly now: Now;
}

/**
 * Bodies on their way out, as far as the peer's windows and the socket allow (RFC 9113 §5.2). What does not fit waits on
 * its stream, without a copy; streams that may send stand in line, and each turn is one frame.
 */
export class Sender {
  /** Body bytes that wait, over all streams. */
  queuedBytes = 0;
  /** What the peer takes in one frame. */
  frameBytes = 16_384;
  readonly #output: Output;
  readonly #headers: HeaderWriter;
  readonly #events: SenderEvents;
  readonly #now: Now;
  #window = 65_535;
  #first: Stream | undefined;
  #last: Stream | undefined;

  constructor({ output, headers, events, now }: SenderOptions) {
    this.#output = output;
    this.#headers = headers;
    this.#events = events;
    this.#now = now;
  }

  /** Whether something waits that could leave now. */
  get canSend(): boolean {
    return this.#first !== undefined && this.#window > 0;
  }

  /** Sends `bytes`, or lets wait what does not fit; false if something waits. `bytes` must stay as they are until then. */
  data(stream: Stream, bytes: Uint8Array, endStream: boolean): boolean {
    const at = stream.queuedBytes > 0 ? 0 : this.#direct(stream, bytes, endStream);
    if (at < bytes.length) this.#queue(stream, at === 0 ? bytes : bytes.subarray(at));
    if (stream.queuedBytes === 0) return true;
    stream.endsAfterQueue = endStream;
    stream.isAwaited = true;
    return false;
  }

  /** Sends trailers, after the body. */
  trailers(stream: Stream, fields: readonly string[]): void {
    if (stream.queuedBytes === 0) {
      this.#headers.write(stream.id, true, fields);
      this.#events.sentEnd(stream);
      return;
    }
    this.#headers.check(fields);
    stream.trailers = fields;
    stream.endsAfterQueue = true;
  }

  /** Forgets what waits on a stream, and the stream: a line that cannot move must not hold those that are over. */
  drop(stream: Stream): void {
    if (stream.isInLine) this.#leaveLine(stream);
    this.queuedBytes -= stream.queuedBytes;
    stream.queuedBytes = 0;
    stream.queue = noQueue;
    stream.trailers = undefined;
    stream.endsAfterQueue = stream.isAwaited = false;
  }

  /** The peer lets the connection send more (§6.9); false if that is more than a window can be. */
  widen(increment: number): boolean {
    this.#window += increment;
    if (this.canSend) this.#output.announce();
    return this.#window <= maxWindowBytes;
  }

  /** The same for a stream. SETTINGS may also take away, even below zero (§6.9.2). */
  widenStream(stream: Stream, increment: number): boolean {
    stream.sendWindow += increment;
    if (stream.queuedBytes > 0) this.#enterLine(stream);
    return stream.sendWindow <= maxWindowBytes;
  }

  /** Moves what waits into the output, a frame of each stream in turn, until a window or the output is full. */
  pump(): void {
    while (this.#window > 0 && this.#output.length < highWaterBytes) {
      const stream = this.#first;
      if (stream === undefined) return;
      this.#leaveLine(stream);
      if (stream.queuedBytes === 0 || stream.sendWindow <= 0) continue;
      this.#frame(stream);
      if (stream.queuedBytes > 0) this.#enterLine(stream);
    }
  }

  /** Writes frames straight from `bytes`, and returns how far they got. */
  #direct(stream: Stream, bytes: Uint8Array, endStream: boolean): number {
    if (this.#grow(stream, bytes, endStream)) return bytes.length;
    let at = 0;
    do {
      const left = bytes.length - at;
      const count = Math.min(left, this.#room(stream));
      if (left > 0 && (count <= 0 || this.#output.length >= highWaterBytes)) return at;
      const isEnd = endStream && count === left;
      if (count === 0 && !isEnd) return at;
      this.#output.data(stream.id, bytes, at, at + count, isEnd);
      this.#sent(stream, count, isEnd);
      at += count;
    } while (at < bytes.length);
    return at;
  }

  /** Puts all of `bytes` into the stream's frame that was written last, if they fit. */
  #grow(stream: Stream, bytes: Uint8Array, endStream: boolean): boolean {
    if (bytes.length > this.#room(stream) || this.#output.length >= highWaterBytes) return false;
    if (!this.#output.grow(stream.id, bytes, endStream, Math.min(this.frameBytes, maxFrameBytes))) return false;
    this.#sent(stream, bytes.length, endStream);
    return true;
  }

  /** Writes one frame of what waits: as many pieces as fit, for each would else be a frame of its own. */
  #frame(stream: Stream): void {
    const count = Math.min(stream.queuedBytes, this.#room(stream));
    const isLast = count === stream.queuedBytes;
    const { trailers } = stream;
    const isEnd = isLast && stream.endsAfterQueue && trailers === undefined;
    this.#output.dataHead(stream.id, count, isEnd);
    this.#copy(stream, count);
    stream.stuckSince = this.#now.ms;
    if (isLast) stream.queue = noQueue;
    this.#sent(stream, count, isEnd);
    if (isLast && trailers !== undefined) this.#lateTrailers(stream, trailers);
    if (isLast && stream.isAwaited && stream.isLocalOpen) {
      stream.isAwaited = false;
      this.#events.drained(stream);
    }
  }

  #lateTrailers(stream: Stream, trailers: readonly string[]): void {
    stream.trailers = undefined;
    this.#headers.writeChecked(stream.id, true, trailers);
    this.#events.sentEnd(stream);
  }

  #copy(stream: Stream, count: number): void {
    const { queue } = stream;
    let left = count;
    let done = 0;
    while (left > 0) {
      const piece = queue[done] as Uint8Array;
      const from = stream.queueOffset;
      const size = Math.min(left, piece.length - from);
      this.#output.append(piece, from, from + size);
      left -= size;
      if (from + size === piece.length) done++;
      stream.queueOffset = from + size === piece.length ? 0 : from + size;
    }
    if (done > 0) queue.splice(0, done);
    stream.queuedBytes -= count;
    this.queuedBytes -= count;
  }

  #sent(stream: Stream, count: number, isEnd: boolean): void {
    this.#window -= count;
    stream.sendWindow -= count;
    this.#events.sentData(count);
    if (isEnd) this.#events.sentEnd(stream);
  }

  #room(stream: Stream): number {
    return Math.min(this.frameBytes, maxFrameBytes, this.#window, stream.sendWindow);
  }

  #queue(stream: Stream, bytes: Uint8Array): void {
    if (stream.queuedBytes === 0) {
      stream.queue = [];
      stream.queueOffset = 0;
      stream.stuckSince = this.#now.ms;
    }
    stream.queue.push(bytes.length <= shortBytes ? Uint8Array.from(bytes) : bytes);
    stream.queuedBytes += bytes.length;
    this.queuedBytes += bytes.length;
    this.#enterLine(stream);
  }

  #enterLine(stream: Stream): void {
    if (stream.isInLine || stream.sendWindow <= 0) return;
    stream.isInLine = true;
    stream.previousInLine = this.#last;
    if (this.#last === undefined) this.#first = stream;
    else this.#last.nextInLine = stream;
    this.#last = stream;
    if (this.#window > 0) this.#output.announce();
  }

  #leaveLine(stream: Stream): void {
    const { previousInLine: before, nextInLine: after } = stream;
    if (before === undefined) this.#first = after;
    else before.nextInLine = after;
    if (after === undefined) this.#last = before;
    else after.previousInLine = before;
    stream.previousInLine = stream.nextInLine = undefined;
    stream.isInLine = false;
  }
}
