/** Something that will happen. */
export interface Happening {
  /** When, in milliseconds. */
  at: number;
  /** Which came first of those at the same time. */
  order: number;
  /** Where it stands in the queue; -1, nowhere. */
  place: number;
  happen(): void;
}

/** What will happen, the soonest first; of those at the same time, the one that was added first. A binary heap. */
export class EventQueue {
  readonly #heap: Happening[] = [];
  #added = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The next one, left where it is. */
  get next(): Happening | undefined {
    return this.#heap[0];
  }

  /** Adds one that is not in the queue. */
  add(event: Happening): void {
    event.order = this.#added++;
    this.#rise(event, this.#heap.length);
  }

  /** Takes the next one out. */
  take(): Happening | undefined {
    const first = this.#heap[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes one out, wherever it stands. One that is not in the queue is no error. */
  remove(event: Happening): void {
    const { place } = event;
    if (place < 0) return;
    event.place = -1;
    const last = this.#heap.pop() as Happening;
    if (last === event) return;
    const parent = this.#heap[(place - 1) >> 1];
    if (place > 0 && parent !== undefined && isBefore(last, parent)) this.#rise(last, place);
    else this.#sink(last, place);
  }

  #rise(event: Happening, from: number): void {
    const heap = this.#heap;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above] as Happening;
      if (!isBefore(event, parent)) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(event, place);
  }

  #sink(event: Happening, from: number): void {
    const heap = this.#heap;
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Happening, heap[below] as Happening)) below++;
      if (!isBefore(heap[below] as Happening, event)) break;
      this.#put(heap[below] as Happening, place);
      place = below;
    }
    this.#put(event, place);
  }

  #put(event: Happening, place: number): void {
    this.#heap[place] = event;
    event.place = place;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
