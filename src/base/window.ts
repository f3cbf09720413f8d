/** Counts how often something happened over the last `slices` slices of time, exact to the slice. */
export class CountWindow {
  readonly #sliceMs: number;
  readonly #counts: Float64Array;
  /** Number of the newest slice, counted from the epoch. */
  #newest = 0;
  #sum = 0;

  constructor({ slices, sliceMs }: { readonly slices: number; readonly sliceMs: number }) {
    this.#sliceMs = sliceMs;
    this.#counts = new Float64Array(slices);
  }

  /** Counts one more, or `count` more, at the instant `now`. */
  add(now: number, count = 1): void {
    this.#moveTo(now);
    const slot = this.#newest % this.#counts.length;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + count;
    this.#sum += count;
  }

  /** What the window holds at the instant `now`. */
  sum(now: number): number {
    this.#moveTo(now);
    return this.#sum;
  }

  /** Forgets everything. */
  clear(): void {
    this.#counts.fill(0);
    this.#sum = 0;
  }

  /** Drops the slices that time has left behind; begins anew where a clock stepped back further than the window. */
  #moveTo(now: number): void {
    const slice = Math.floor(now / this.#sliceMs);
    if (Math.abs(slice - this.#newest) >= this.#counts.length) {
      this.clear();
      this.#newest = slice;
    }
    while (this.#newest < slice) {
      this.#newest++;
      const slot = this.#newest % this.#counts.length;
      this.#sum -= this.#counts[slot] ?? 0;
      this.#counts[slot] = 0;
    }
  }
}
