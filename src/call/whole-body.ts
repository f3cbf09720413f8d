import type { UniversalServerRequest } from "@connectrpc/connect/protocol";

/**
 * A body that is all there when its answer begins. Whoever sends it sends it in one write with the head, and whoever has
 * to look at all of it has it at once; for everybody else it is the stream that Connect's types ask for.
 */
export class WholeBody implements AsyncIterable<Uint8Array> {
  readonly #text: string | undefined;
  #bytes: Uint8Array | undefined;
  #sizeBytes: number | undefined;

  /** Of text, in UTF-8, or of bytes, which nobody changes any more. */
  constructor(given: string | Uint8Array) {
    if (typeof given === "string") this.#text = given;
    else this.#bytes = given;
  }

  get sizeBytes(): number {
    this.#sizeBytes ??= this.#bytes?.length ?? Buffer.byteLength(this.#text ?? "");
    return this.#sizeBytes;
  }

  get bytes(): Uint8Array {
    this.#bytes ??= Buffer.from(this.#text ?? "");
    return this.#bytes;
  }

  /** The text that it was made of, where each character of that is one byte; otherwise go by `bytes`. */
  get ascii(): string | undefined {
    return this.#text?.length === this.sizeBytes ? this.#text : undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.sizeBytes > 0) yield this.bytes;
  }
}

/** A body on its way in that can be had whole without being asked for piece by piece. */
export interface Gatherable extends AsyncIterable<Uint8Array> {
  /** All of it; `undefined`, and the rest is not read, if it is more than `maxBytes`. Rejects if it breaks off. Asked once. */
  gather(maxBytes: number): Promise<Uint8Array | undefined>;
}

/** All of a request's body, by the shortest way there is; `undefined` if it is more than `maxBytes`. */
export function gather(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array | undefined> {
  if (body instanceof WholeBody) return Promise.resolve(body.sizeBytes > maxBytes ? undefined : body.bytes);
  return "gather" in body ? (body as Gatherable).gather(maxBytes) : gatherPieces(body, maxBytes);
}

/** Whether a request's body comes as bytes: one without a body, and one that somebody has parsed already, does not. */
export function isByteStream(body: UniversalServerRequest["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

async function gatherPieces(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > maxBytes) return undefined;
    pieces.push(piece);
  }
  return joined(pieces, size);
}

/** Pieces as one; a single one as it is. */
export function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, size);
}
