/** Thrown where bytes are too unusual to be read at once. One for all: it costs nothing to make, and nobody sees it. */
export const unusual: unknown = Object.freeze({ name: "unusual" });

/** Wire types (https://protobuf.dev/programming-guides/encoding/#structure). */
export const WireType = { varint: 0, bits64: 1, bytes: 2, bits32: 5 } as const;

/** Reads Protobuf's wire format forward, as far as it is what encoders write. */
export class WireCursor {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** A number of up to 49 bits. */
  varint(): number {
    const { bytes } = this;
    let byte = bytes[this.at++] as number;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let scale = 2 ** 7; scale < 2 ** 49; scale *= 2 ** 7) {
      byte = bytes[this.at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw unusual; // a large or a negative one, or the end of the bytes
  }

  /** The same, of at most so much. */
  varintUpTo(most: number): number {
    const value = this.varint();
    if (value > most) throw unusual;
    return value;
  }

  /** Where what follows ends, which says first how long it is; not behind `end`. */
  endOfBytes(end: number): number {
    const length = this.varint();
    if (this.at + length > end) throw unusual;
    return this.at + length;
  }

  /** Passes over so many bytes, and answers where they begin. */
  take(count: number, end: number): number {
    const from = this.at;
    this.at += count;
    if (this.at > end) throw unusual;
    return from;
  }

  /** Text up to `end`. */
  text(end: number): string {
    const text = this.bytes.toString("utf8", this.at, end);
    this.at = end;
    if (odd.test(text)) throw unusual;
    return text;
  }

  /** Passes over the value of a field that nobody knows. */
  skip(wireType: number, end: number): void {
    if (wireType === WireType.varint) this.varint();
    else if (wireType === WireType.bytes) this.at = this.endOfBytes(end);
    else if (wireType === WireType.bits64) this.take(8, end);
    else if (wireType === WireType.bits32) this.take(4, end);
    else throw unusual;
  }
}

/** What decoders need not agree on: a mark at the beginning, and what stands for bytes that are no text. */
const odd = /^\ufeff|\ufffd/;
