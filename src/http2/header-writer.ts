import { Flag, FrameType, headBytes } from "./frame.ts";
import type { Fields } from "./hpack-decoder.ts";
import { checkFields, HpackEncoder } from "./hpack-encoder.ts";
import { fieldBytes } from "./hpack-table.ts";
import type { Output } from "./output.ts";
import type { Settings } from "./settings.ts";

/** Writes header blocks as HEADERS and, where a peer's frames are too small, CONTINUATION (RFC 9113 §4.3). */
export class HeaderWriter {
  readonly #output: Output;
  readonly #encoder = new HpackEncoder();
  #frameBytes = 16_384;
  #listBytes = Number.POSITIVE_INFINITY;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Keeps to what the peer has told of itself. */
  keepTo({ frameBytes, headerListBytes, headerTableBytes }: Settings): void {
    this.#frameBytes = frameBytes;
    this.#listBytes = headerListBytes;
    this.#encoder.allow(headerTableBytes);
  }

  /**
   * Writes `fields` and then `more` as one block. Throws a RangeError if the peer does not take so much, a TypeError if
   * a field may not be sent; then nothing is written.
   */
  write(id: number, endStream: boolean, fields: Fields, more?: Fields): void {
    this.#weigh(fields, more);
    this.writeChecked(id, endStream, fields, more);
  }

  /** Throws what `write` would, and writes nothing. */
  check(fields: Fields): void {
    this.#weigh(fields, undefined);
    checkFields(fields);
  }

  /** The same as `write`, for what has been checked before. */
  writeChecked(id: number, endStream: boolean, fields: Fields, more?: Fields): void {
    const output = this.#output;
    const before = output.length;
    output.reserve(headBytes);
    output.at += headBytes;
    try {
      this.#encoder.encode(fields, more, output);
    } catch (error) {
      output.at -= headBytes;
      throw error;
    }
    const start = output.at - (output.length - before);
    const length = output.at - start - headBytes;
    const flags = endStream ? Flag.endStream : 0;
    if (length > this.#frameBytes) this.#split(start, length, id, flags);
    else output.head(start, length, FrameType.headers, flags | Flag.endHeaders, id);
  }

  #weigh(fields: Fields, more: Fields | undefined): void {
    if (this.#listBytes === Number.POSITIVE_INFINITY) return;
    const bytes = listBytes(fields) + (more === undefined ? 0 : listBytes(more));
    if (bytes > this.#listBytes) {
      throw new RangeError(`a header list of ${bytes} bytes; the peer takes ${this.#listBytes}`);
    }
  }

  /** Makes room for a head before each further piece of the block, the last piece first. */
  #split(start: number, length: number, id: number, flags: number): void {
    const output = this.#output;
    const further = Math.ceil(length / this.#frameBytes) - 1;
    const before = output.at - start;
    output.reserve(further * headBytes);
    const first = output.at - before; // reserving may have moved what waits
    for (let piece = further; piece >= 0; piece--) {
      const from = first + headBytes + piece * this.#frameBytes;
      const to = Math.min(from + this.#frameBytes, first + headBytes + length);
      const target = from + piece * headBytes;
      output.bytes.copyWithin(target, from, to);
      const type = piece === 0 ? FrameType.headers : FrameType.continuation;
      const last = piece === further ? Flag.endHeaders : 0;
      output.head(target - headBytes, to - from, type, last | (piece === 0 ? flags : 0), id);
    }
    output.at += further * headBytes;
  }
}

function listBytes(fields: Fields): number {
  let bytes = 0;
  for (let i = 0; i < fields.length; i += 2) bytes += fieldBytes(fields[i] as string, fields[i + 1] as string);
  return bytes;
}
