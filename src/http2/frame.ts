import { ConnectionError, ErrorCode } from "./errors.ts";

/** Frame types (RFC 9113 §6). */
export const FrameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

/** Frame flags; one bit may mean different things on different frames. */
export const Flag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** Bytes of a frame's header (RFC 9113 §4.1). */
export const headBytes = 9;

/** What a client sends first (RFC 9113 §3.4). */
export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Whoever is told of frames: the payload is `bytes` from `start` to `end`. */
export interface FrameSink {
  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void;
}

/**
 * Cuts bytes into frames, wherever the pieces they came in were cut. A frame that came in one piece is handed on as a
 * view into it, one that did not is put together in a buffer of its own that is not written again: so a view may be
 * kept for as long as the giver of the bytes leaves them alone.
 */
export class FrameReader {
  /** Largest payload that is let in: SETTINGS_MAX_FRAME_SIZE as the peer has acknowledged it. */
  maxBytes = 16_384;
  /** Frames read so far. */
  count = 0;
  readonly #sink: FrameSink;
  readonly #head = Buffer.alloc(headBytes);
  #headHave = 0;
  #payload: Buffer | undefined;
  #payloadHave = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Whether a frame has begun and is not complete. */
  get isPartial(): boolean {
    return this.#headHave > 0;
  }

  /** Reads `bytes` from `start` on, as many frames as are complete. */
  read(bytes: Buffer, start: number): void {
    let at = this.#headHave > 0 ? this.#resume(bytes, start) : start;
    while (bytes.length - at >= headBytes) {
      const length = this.#lengthAt(bytes, at);
      const end = at + headBytes + length;
      if (end > bytes.length) break;
      this.#emit(bytes, at, bytes, at + headBytes, end);
      at = end;
    }
    if (at < bytes.length) this.#hold(bytes, at);
  }

  /** Completes what was begun, and returns where the next frame starts. */
  #resume(bytes: Buffer, start: number): number {
    let at = start;
    if (this.#payload === undefined) {
      at = this.#hold(bytes, at, headBytes - this.#headHave);
      if (this.#payload === undefined) return at;
    }
    const payload: Buffer = this.#payload;
    const copied = bytes.copy(payload, this.#payloadHave, at);
    this.#payloadHave += copied;
    if (this.#payloadHave < payload.length) return bytes.length;
    this.#payload = undefined;
    this.#headHave = 0;
    this.#emit(this.#head, 0, payload, 0, payload.length);
    return at + copied;
  }

  /** Keeps the beginning of a frame: first its head, and once that is whole as much payload as there is. */
  #hold(bytes: Buffer, start: number, want: number = headBytes): number {
    const copied = bytes.copy(this.#head, this.#headHave, start, Math.min(bytes.length, start + want));
    this.#headHave += copied;
    const at = start + copied;
    if (this.#headHave < headBytes) return at;
    this.#payload = Buffer.allocUnsafe(this.#lengthAt(this.#head, 0));
    this.#payloadHave = 0;
    if (want < headBytes) return at; // #resume goes on from here
    this.#payloadHave = bytes.copy(this.#payload, 0, at);
    return bytes.length;
  }

  #lengthAt(bytes: Buffer, at: number): number {
    const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    if (length > this.maxBytes) throw new ConnectionError(ErrorCode.frameSizeError, `a frame of ${length} bytes`);
    return length;
  }

  #emit(head: Buffer, at: number, bytes: Buffer, start: number, end: number): void {
    this.count++;
    const id = uint32(head, at + 5) & 0x7fffffff;
    this.#sink.frame(head[at + 3] as number, head[at + 4] as number, id, bytes, start, end);
  }
}

/** The 32 bits at `at`, as a signed number: mask or shift by 0 as the field asks. */
export function uint32(bytes: Buffer, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** Where the content of a padded payload ends: its padding is `bytes[start]` long (RFC 9113 §6.1). */
export function unpaddedEnd(bytes: Buffer, start: number, end: number): number {
  const contentEnd = start < end ? end - (bytes[start] as number) : -1;
  if (contentEnd > start) return contentEnd;
  throw new ConnectionError(ErrorCode.protocolError, "padding as long as the frame");
}
