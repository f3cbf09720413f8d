import { Flag, FrameType, headBytes, preface } from "./frame.ts";

const slabBytes = 64 * 1024;

/** A payload of so many bytes is not copied: fresh memory for it costs more than another piece to write. */
const longBytes = 8 * 1024;

/**
 * Frames on their way out, written one behind the other into one buffer, so that a turn leaves in one write. What has
 * been taken is not written again: whoever took it may keep it as long as the socket needs it.
 */
export class Output {
  /** Where bytes are written, and how far. Writers `reserve` first. */
  bytes: Buffer = Buffer.allocUnsafeSlow(slabBytes);
  at = 0;
  readonly #onFirst: () => void;
  /** Pieces that leave before what is written now. */
  readonly #sealed: Buffer[] = [];
  #sealedBytes = 0;
  #from = 0;
  #announced = false;
  // The DATA frame at the end of what waits, if that is one and may still grow: whose, from where, to where.
  #dataId = 0;
  #dataHead = 0;
  #dataEnd = 0;

  /** `onFirst` is told when there is something to take, once until it is taken. */
  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
  }

  /** Bytes that wait to be taken. */
  get length(): number {
    return this.#sealedBytes + this.at - this.#from;
  }

  /** Makes room for `count` bytes more. */
  reserve(count: number): void {
    if (this.at + count > this.bytes.length) this.#renew(count);
    if (!this.#announced) this.announce();
  }

  /** Says that there is something to take, or will be. */
  announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    this.#onFirst();
  }

  /** What waits, or the first piece of it where large payloads wait too: those are pieces of their own, without a copy. */
  take(): Buffer | undefined {
    this.#announced = false;
    this.#dataId = 0;
    const sealed = this.#sealed.shift();
    if (sealed !== undefined) {
      this.#sealedBytes -= sealed.length;
      return sealed;
    }
    if (this.at === this.#from) return undefined;
    const taken = this.bytes.subarray(this.#from, this.at);
    this.#from = this.at;
    if (this.bytes.length - this.at < 4_096 || this.bytes.length > slabBytes) this.#renew(0);
    return taken;
  }

  #renew(count: number): void {
    const waiting = this.at - this.#from;
    const size = waiting + count <= slabBytes ? slabBytes : Math.max(waiting * 2, waiting + count);
    const bytes = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(bytes, 0, this.#from, this.at);
    this.bytes = bytes;
    this.#from = this.#dataId = 0;
    this.at = waiting;
  }

  /** A frame's header at `offset` (RFC 9113 §4.1). */
  head(offset: number, length: number, type: number, flags: number, id: number): void {
    const { bytes } = this;
    bytes[offset] = length >>> 16;
    bytes[offset + 1] = length >>> 8;
    bytes[offset + 2] = length;
    bytes[offset + 3] = type;
    bytes[offset + 4] = flags;
    this.#uint32(offset + 5, id);
  }

  preface(): void {
    this.reserve(preface.length);
    this.at += preface.copy(this.bytes, this.at);
  }

  /** DATA with `payload` from `start` to `end` (§6.1). */
  data(id: number, payload: Uint8Array, start: number, end: number, endStream: boolean): void {
    this.dataHead(id, end - start, endStream);
    this.append(payload, start, end);
    this.#dataId = endStream || end - start >= longBytes ? 0 : id;
    this.#dataEnd = this.at;
  }

  /**
   * Lets the last DATA frame grow by the same, if it is this stream's and stays within `maxBytes`; false if not. So
   * the small messages of a turn leave as one frame.
   */
  grow(id: number, payload: Uint8Array, endStream: boolean, maxBytes: number): boolean {
    if (this.#dataId !== id || this.#dataEnd !== this.at) return false;
    const length = this.at - this.#dataHead - headBytes + payload.length;
    if (length > maxBytes || this.at + payload.length > this.bytes.length) return false;
    this.append(payload, 0, payload.length);
    this.head(this.#dataHead, length, FrameType.data, endStream ? Flag.endStream : 0, id);
    this.#dataId = endStream || payload.length >= longBytes ? 0 : id;
    this.#dataEnd = this.at;
    return true;
  }

  /** The header of a DATA frame, with room for its payload: `append` that. */
  dataHead(id: number, length: number, endStream: boolean): void {
    this.reserve(headBytes + Math.min(length, longBytes));
    this.head(this.at, length, FrameType.data, endStream ? Flag.endStream : 0, id);
    this.#dataHead = this.at;
    this.at += headBytes;
  }

  /** Part of a frame's payload: copied behind its header, or where it is long a piece of its own. */
  append(payload: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const part = length === payload.length ? payload : payload.subarray(start, end);
    if (length >= longBytes) return this.#lend(part);
    if (this.at + length > this.bytes.length) this.#renew(length);
    if (length > 0) this.bytes.set(part, this.at);
    this.at += length;
  }

  #lend(payload: Uint8Array): void {
    if (this.at > this.#from) this.#sealed.push(this.bytes.subarray(this.#from, this.at));
    this.#sealed.push(Buffer.from(payload.buffer, payload.byteOffset, payload.length));
    this.#sealedBytes += this.at - this.#from + payload.length;
    this.#from = this.at;
  }

  /** RST_STREAM (§6.4). */
  rstStream(id: number, code: number): void {
    this.#words(FrameType.rstStream, id, code);
  }

  /** WINDOW_UPDATE (§6.9). */
  windowUpdate(id: number, increment: number): void {
    this.#words(FrameType.windowUpdate, id, increment);
  }

  /** SETTINGS, each setting an identifier and a value in turn (§6.5). */
  settings(pairs: readonly number[]): void {
    this.reserve(headBytes + pairs.length * 3);
    this.head(this.at, pairs.length * 3, FrameType.settings, 0, 0);
    this.at += headBytes;
    for (let i = 0; i < pairs.length; i += 2) {
      this.bytes.writeUInt16BE(pairs[i] as number, this.at);
      this.#uint32(this.at + 2, pairs[i + 1] as number);
      this.at += 6;
    }
  }

  settingsAck(): void {
    this.reserve(headBytes);
    this.head(this.at, 0, FrameType.settings, Flag.ack, 0);
    this.at += headBytes;
  }

  /** PING with the eight bytes at `start` (§6.7). */
  ping(payload: Uint8Array, start: number, flags: number): void {
    this.reserve(headBytes + 8);
    this.head(this.at, 8, FrameType.ping, flags, 0);
    this.at += headBytes;
    for (let i = 0; i < 8; i++) this.bytes[this.at++] = payload[start + i] as number;
  }

  /** GOAWAY (§6.8); `debug` is cut at 200 bytes. */
  goAway(lastId: number, code: number, debug: string): void {
    this.reserve(headBytes + 8 + 200);
    const start = this.at + headBytes;
    this.#uint32(start, lastId);
    this.#uint32(start + 4, code);
    const length = 8 + this.bytes.write(debug.slice(0, 200), start + 8, 200, "latin1");
    this.head(this.at, length, FrameType.goAway, 0, 0);
    this.at = start + length;
  }

  #words(type: number, id: number, word: number): void {
    this.reserve(headBytes + 4);
    this.head(this.at, 4, type, 0, id);
    this.#uint32(this.at + headBytes, word);
    this.at += headBytes + 4;
  }

  #uint32(offset: number, value: number): void {
    this.bytes[offset] = value >>> 24;
    this.bytes[offset + 1] = value >>> 16;
    this.bytes[offset + 2] = value >>> 8;
    this.bytes[offset + 3] = value;
  }
}
