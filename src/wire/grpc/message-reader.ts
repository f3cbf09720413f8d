import { Code, ConnectError } from "@connectrpc/connect";

/** Takes the messages that a reader has found. */
export interface MessageSink {
  /** One whole message, still compressed if its flag says so. A view of what was read: it may be kept. */
  message(bytes: Uint8Array, isCompressed: boolean): void;
}

/** Flag and length in front of each message. */
export const prefixBytes = 5;

/**
 * Cuts the length-prefixed messages of gRPC out of a body that arrives in any pieces. A message within one piece is
 * handed on without a copy. One that spans several is gathered in a buffer that grows with what has arrived, so that
 * neither a prefix that promises much nor a body that comes by the byte costs more than it sends.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests
 */
export class MessageReader {
  readonly #sink: MessageSink;
  readonly #maxBytes: number;
  /** What there is of a message that is not whole, prefix and all, and how much of that. */
  #gathered: Buffer | undefined;
  #have = 0;
  #need = prefixBytes;

  /** `maxBytes` is the longest message taken, as it comes over the wire. */
  constructor(sink: MessageSink, maxBytes: number) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
  }

  /** What has arrived of a message that is not whole. */
  get unfinishedBytes(): number {
    return this.#have;
  }

  /**
   * Reads the next piece, `bytes` from `start` to `end`. Throws RESOURCE_EXHAUSTED for a message that is too long,
   * INTERNAL for flags that gRPC does not know; then nothing more can be read.
   */
  read(bytes: Uint8Array, start: number, end: number): void {
    let at = this.#gathered === undefined ? start : this.#goOn(bytes, start, end);
    while (end - at >= prefixBytes) {
      const length = this.#lengthAt(bytes, at);
      const from = at + prefixBytes;
      if (end - from < length) break;
      const isCompressed = bytes[at] === compressedFlag;
      at = from + length;
      this.#sink.message(bytes.subarray(from, at), isCompressed);
    }
    if (at < end) this.#goOn(bytes, at, end);
  }

  /** The body has ended. Throws if it did so in the middle of a message: a caller's fault, unless `code` says otherwise. */
  end(code: Code = Code.InvalidArgument): void {
    if (this.#gathered === undefined) return;
    const what =
      this.#need === prefixBytes ? "the prefix of a message" : `a message of ${this.#need - prefixBytes} bytes`;
    throw new ConnectError(`the body ended within ${what}: ${this.#have} bytes arrived`, code);
  }

  /** Gathers a message that is not whole, as far as it has come, and answers where the next one begins. */
  #goOn(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    do {
      const count = Math.min(this.#need - this.#have, end - at);
      this.#append(bytes, at, at + count);
      at += count;
      if (this.#have < this.#need) return at;
      if (this.#need === prefixBytes) this.#need += this.#lengthAt(this.#gathered as Buffer, 0);
    } while (this.#have < this.#need);
    const whole = (this.#gathered as Buffer).subarray(0, this.#have);
    this.#gathered = undefined;
    this.#have = 0;
    this.#need = prefixBytes;
    this.#sink.message(whole.subarray(prefixBytes), whole[0] === compressedFlag);
    return at;
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    const have = this.#have + end - start;
    let buffer = this.#gathered ?? Buffer.allocUnsafe(firstBytes);
    if (have > buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(have, Math.min(this.#need, have * growth)));
      buffer.copy(grown, 0, 0, this.#have);
      buffer = grown;
    }
    buffer.set(bytes.subarray(start, end), this.#have);
    this.#gathered = buffer;
    this.#have = have;
  }

  #lengthAt(bytes: Uint8Array, at: number): number {
    const flags = bytes[at] as number;
    const high = bytes[at + 1] as number;
    const low = ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number);
    const length = high * 2 ** 24 + low;
    if (flags > compressedFlag) {
      throw new ConnectError(
        `a message with the flags 0x${flags.toString(16)}, which gRPC does not know`,
        Code.Internal,
      );
    }
    if (length > this.#maxBytes) {
      throw new ConnectError(`a message of ${length} bytes; ${this.#maxBytes} are taken`, Code.ResourceExhausted);
    }
    return length;
  }
}

const compressedFlag = 1;

/** Room for the beginning of a message, and how often that much it gets when it is too little. */
const firstBytes = 64;
const growth = 4;
