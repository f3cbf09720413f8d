const mebibyte = 1_048_576;

/** How much of what was sent is kept for another attempt. */
export interface RetryBufferLimits {
  /** Of one call. Default 1 MiB. */
  readonly callBytes?: number;
  /** Of all calls of a channel together. Default 16 MiB. */
  readonly channelBytes?: number;
}

/**
 * Accounts for the requests that a channel keeps in case they are to be sent again. What is too large, or comes when
 * there is no room, is sent once: a client that remembers everything while a service is slow runs out of memory.
 */
export class RetryBuffer {
  readonly #callBytes: number;
  readonly #channelBytes: number;
  #heldBytes = 0;

  constructor({ callBytes = mebibyte, channelBytes = 16 * mebibyte }: RetryBufferLimits = {}) {
    this.#callBytes = callBytes;
    this.#channelBytes = channelBytes;
  }

  /** What is held now. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Keeps the request of a call, of so many bytes, if there is room. What is held is to be freed, once. */
  hold(bytes: number): boolean {
    if (bytes > this.#callBytes || this.#heldBytes + bytes > this.#channelBytes) return false;
    this.#heldBytes += bytes;
    return true;
  }

  /** Lets go of what was held for a call. */
  free(bytes: number): void {
    this.#heldBytes -= bytes;
  }

  /** Why a request of so many bytes that could not be held is sent once only, for people. */
  why(bytes: number): string {
    if (bytes > this.#callBytes) {
      return `the request of ${inMiB(bytes)} is sent once: no more than ${inMiB(this.#callBytes)} are kept for a repeat`;
    }
    return `the request is sent once: ${inMiB(this.#heldBytes)} of other calls are kept for a repeat already`;
  }
}

function inMiB(bytes: number): string {
  return `${Math.round((bytes / mebibyte) * 100) / 100} MiB`;
}
