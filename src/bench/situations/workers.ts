/** So many at work at once, those who come later in their order: a pool of connections, a lock, a disk. */
export class Workers {
  #count: number;
  #busy = 0;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#count = count;
  }

  /** How many there are. Those at work finish what they do. */
  set count(count: number) {
    this.#count = count;
    this.#wake();
  }

  /** Does the work once its turn has come; a call that is given up meanwhile leaves the line. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#busy < this.#count) this.#busy++;
    else await this.#turn(signal);
    try {
      return await work();
    } finally {
      this.#busy--;
      this.#wake();
    }
  }

  /** Resolves once somebody is free for it, and is then counted as at work. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const leave = () => {
        this.#waiting.delete(go);
        reject(signal.reason);
      };
      const go = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.add(go);
    });
  }

  #wake(): void {
    for (const go of this.#waiting) {
      if (this.#busy >= this.#count) return;
      this.#waiting.delete(go);
      this.#busy++;
      go();
    }
  }
}
