/** A body as it arrives: fed by the connection, read by whoever wants it, held back when nobody reads. */
export class Body implements AsyncIterable<Uint8Array> {
  readonly #onRead: (bytes: number) => void;
  readonly #onDone: () => void;
  readonly #pieces: Uint8Array[] = [];
  #end: { readonly reason?: unknown } | undefined;
  #wake: (() => void) | undefined;
  #discarded = false;

  /**
   * `onRead` is told of bytes that were read, or will never be: the peer may send as many again. `onDone` is told when
   * the reader has come to the end, or has left before.
   */
  constructor(onRead: (bytes: number) => void, onDone: () => void = () => {}) {
    this.#onRead = onRead;
    this.#onDone = onDone;
  }

  /** Whether nothing has arrived that nobody has read. */
  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** The next piece has arrived. */
  push(piece: Uint8Array): void {
    if (this.#discarded) return this.#onRead(piece.length);
    this.#pieces.push(piece);
    this.#wake?.();
  }

  /** The body has ended: as it should, or with an error. */
  end(failed?: { readonly reason: unknown }): void {
    this.#end ??= failed ?? {};
    this.#wake?.();
  }

  /** Nobody will read the rest. */
  discard(): void {
    this.#discarded = true;
    for (const piece of this.#pieces.splice(0)) this.#onRead(piece.length);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    try {
      for (;;) {
        const piece = this.#pieces.shift();
        if (piece !== undefined) {
          this.#onRead(piece.length);
          yield piece;
        } else if (this.#end === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        } else if ("reason" in this.#end) {
          throw this.#end.reason;
        } else {
          return;
        }
      }
    } finally {
      this.discard();
      this.#onDone();
    }
  }
}
