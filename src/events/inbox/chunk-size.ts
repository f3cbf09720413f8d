/** Below it, beginning and committing would be most of the work. */
const minSize = 8;
const firstSize = 32;
const maxSize = 500;

/** How many events to take in together, so that neither calls nor other replicas wait long for the database. */
export class ChunkSize {
  readonly #targetMs: number;
  #size = firstSize;

  constructor(targetMs: number) {
    this.#targetMs = targetMs;
  }

  get value(): number {
    return this.#size;
  }

  /** Learns from a transaction of `events` events that took `tookMs`. */
  learn(events: number, tookMs: number): void {
    if (tookMs > this.#targetMs) this.#size = Math.max(minSize, Math.floor(this.#size / 2));
    else if (events >= this.#size && tookMs < this.#targetMs / 2) this.#size = Math.min(maxSize, this.#size * 2);
  }
}
