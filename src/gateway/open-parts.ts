/** Parts that were opened one upon the other, closed the last one first. By hand, for Node 22 has no AsyncDisposableStack. */
export class OpenParts implements AsyncDisposable {
  readonly #parts: AsyncDisposable[] = [];

  /** Closes it with the others. */
  use<T extends AsyncDisposable>(part: T): T {
    this.#parts.unshift(part);
    return part;
  }

  /** What is being opened on top of the others, which are closed when that cannot be. */
  async orClose<T>(opening: Promise<T>): Promise<T> {
    try {
      return await opening;
    } catch (reason) {
      await this[Symbol.asyncDispose]();
      throw reason;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#parts) await part[Symbol.asyncDispose]();
  }
}
