import type { Stream } from "./stream.ts";

const leastSlots = 16;

/**
 * Streams by their ids: a table with open addressing, for ids that come in sequence and go soon. A `Map` would do the
 * same, but leaves its outgrown tables behind, one referring to the next, and each to the streams it held: at tens of
 * thousands of streams a second that keeps the garbage of finished calls alive until the next full collection.
 */
export class StreamTable {
  #slots: (Stream | undefined)[] = emptySlots(leastSlots);
  #mask = leastSlots - 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Stream | undefined {
    for (let at = (id >>> 1) & this.#mask; ; at = (at + 1) & this.#mask) {
      const stream = this.#slots[at];
      if (stream === undefined || stream.id === id) return stream;
    }
  }

  /** Puts a stream in, whose id is not there yet. */
  add(stream: Stream): void {
    if ((this.#size + 1) * 2 > this.#slots.length) this.#grow();
    this.#put(stream);
    this.#size++;
  }

  /** Takes the stream with the id out; false if there is none. */
  delete(id: number): boolean {
    let at = (id >>> 1) & this.#mask;
    for (let stream = this.#slots[at]; stream?.id !== id; stream = this.#slots[at]) {
      if (stream === undefined) return false;
      at = (at + 1) & this.#mask;
    }
    this.#slots[at] = undefined;
    this.#size--;
    this.#closeGap(at);
    return true;
  }

  /** All of them, as they are now. */
  values(): Stream[] {
    return this.#slots.filter((stream) => stream !== undefined);
  }

  /** Moves those back that had to step aside for the one that was taken out. */
  #closeGap(gap: number): void {
    let empty = gap;
    for (let at = (gap + 1) & this.#mask; ; at = (at + 1) & this.#mask) {
      const stream = this.#slots[at];
      if (stream === undefined) return;
      const home = (stream.id >>> 1) & this.#mask;
      if (((at - home) & this.#mask) < ((at - empty) & this.#mask)) continue; // its home lies behind the gap
      this.#slots[empty] = stream;
      this.#slots[at] = undefined;
      empty = at;
    }
  }

  #put(stream: Stream): void {
    let at = (stream.id >>> 1) & this.#mask;
    while (this.#slots[at] !== undefined) at = (at + 1) & this.#mask;
    this.#slots[at] = stream;
  }

  #grow(): void {
    const streams = this.values();
    this.#slots = emptySlots(this.#slots.length * 2);
    this.#mask = this.#slots.length - 1;
    for (const stream of streams) this.#put(stream);
  }
}

function emptySlots(count: number): (Stream | undefined)[] {
  return new Array<Stream | undefined>(count).fill(undefined);
}
