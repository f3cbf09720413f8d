import { prefixBytes } from "../../wire/grpc/message-reader.ts";

/** Follows the messages of a stream by their prefixes, without looking into them: how much there is of one that is not whole. */
export class UnfinishedMessage {
  /** Bytes of it that have arrived, the prefix included. */
  #bytes = 0;
  /** Its length, as far as its prefix has told. */
  #length = 0;

  /** Its size once the piece has arrived. */
  after(piece: Uint8Array): number {
    for (let at = 0; at < piece.length; ) {
      if (this.#bytes < prefixBytes) {
        if (this.#bytes > 0) this.#length = this.#length * 256 + (piece[at] as number);
        this.#bytes++;
        at++;
      } else {
        const taken = Math.min(piece.length - at, prefixBytes + this.#length - this.#bytes);
        this.#bytes += taken;
        at += taken;
      }
      if (this.#bytes >= prefixBytes && this.#bytes === prefixBytes + this.#length) this.#bytes = this.#length = 0;
    }
    return this.#bytes;
  }
}
