/** A value that can be read and followed, but not set. */
export interface Followed<T> {
  readonly value: T;
  /** Calls `listener` after each change, until the returned function is called. */
  subscribe(listener: (value: T) => void): () => void;
  /** Resolves with the first value, the present one included, that passes the test; rejects when the signal aborts. */
  until(test: (value: T) => boolean, signal?: AbortSignal): Promise<T>;
}

/** A value that one owner sets and many follow. */
export class Watchable<T> implements Followed<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  /** Sets the value and tells every follower, in the order they came. One that sets it again has told them already. */
  set(value: T): void {
    this.#value = value;
    if (this.#listeners.size === 0) return; // as it is of counts, which are set with each request
    for (const listener of [...this.#listeners]) {
      if (this.#value !== value) return;
      if (this.#listeners.has(listener)) listener(value);
    }
  }

  subscribe(listener: (value: T) => void): () => void {
    const own = (value: T) => listener(value); // so that the same function may follow twice
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  until(test: (value: T) => boolean, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (test(this.#value)) return resolve(this.#value);
      const leave = this.subscribe((value) => {
        if (!test(value)) return;
        leave();
        signal?.removeEventListener("abort", stop);
        resolve(value);
      });
      const stop = () => {
        leave();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  /** How many follow: for tests that nothing is left behind. */
  get followers(): number {
    return this.#listeners.size;
  }
}
