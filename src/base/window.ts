/** How much time a window spans: so many slices, each so long. */
export interface WindowSpan {
  readonly slices: number;
  readonly sliceMs: number;
}

/**
 * A window over the last slices of time, exact to the slice: what it holds is kept by whoever extends it, in one slot
 * per slice. Within a slice a look at the time costs two comparisons, for this runs once per call.
 */
export abstract class SlicedWindow {
  readonly #slices: number;
  readonly #sliceMs: number;
  /** Number of the newest slice, counted from the epoch; the instants it spans; the slot it is kept in. */
  #newest = 0;
  #from = 0;
  #until = 0;
  #slot = 0;

  constructor({ slices, sliceMs }: WindowSpan) {
    this.#slices = slices;
    this.#sliceMs = sliceMs;
  }

  /** Empties the slot of a slice that time has left behind. */
  protected abstract drop(slot: number): void;

  /** The slot of the instant `now`, once all that is too old has been dropped. */
  protected slotAt(now: number): number {
    if (now >= this.#until || now < this.#from) this.#moveTo(now);
    return this.#slot;
  }

  /** Begins anew where a clock stepped back further than the window; a smaller step back stays in the newest slice. */
  #moveTo(now: number): void {
    const slice = Math.floor(now / this.#sliceMs);
    if (Math.abs(slice - this.#newest) >= this.#slices) {
      for (let slot = 0; slot < this.#slices; slot++) this.drop(slot);
      this.#newest = slice;
    }
    while (this.#newest < slice) {
      this.#newest++;
      this.drop(this.#newest % this.#slices);
    }
    this.#slot = this.#newest % this.#slices;
    this.#from = this.#newest * this.#sliceMs;
    this.#until = this.#from + this.#sliceMs;
  }
}

/** Counts how often something happened over the last `slices` slices of time, exact to the slice. */
export class CountWindow extends SlicedWindow {
  readonly #counts: number[];
  #sum = 0;

  constructor(span: WindowSpan) {
    super(span);
    this.#counts = new Array<number>(span.slices).fill(0);
  }

  /** Counts one more, or `count` more, at the instant `now`. */
  add(now: number, count = 1): void {
    const slot = this.slotAt(now);
    this.#counts[slot] = (this.#counts[slot] ?? 0) + count;
    this.#sum += count;
  }

  /** What the window holds at the instant `now`. */
  sum(now: number): number {
    this.slotAt(now);
    return this.#sum;
  }

  /** Forgets everything. */
  clear(): void {
    this.#counts.fill(0);
    this.#sum = 0;
  }

  protected override drop(slot: number): void {
    this.#sum -= this.#counts[slot] ?? 0;
    this.#counts[slot] = 0;
  }
}
