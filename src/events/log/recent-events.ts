import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";

/** Reads events of all types and slots after a position, in the order of the log. */
export type ReadAfter = (position: bigint) => Promise<readonly Event[]>;

const maxEvents = 2_000;
const maxBytes = 4 * 1024 * 1024;

/**
 * The end of the log in memory, read once for all who follow it closely. Whoever is further behind reads for itself.
 */
export class RecentEvents {
  readonly #read: ReadAfter;
  /** Without gaps: from the position after `#before` on. */
  #events: Event[] = [];
  #before = 0n;
  #bytes = 0;
  #end = 0n;
  #reading: Promise<void> | undefined;

  constructor(read: ReadAfter) {
    this.#read = read;
  }

  /** Some events after a position, up to the end of the log; `undefined` where the position is too far back. */
  async after(position: bigint, end: bigint): Promise<readonly Event[] | undefined> {
    if (end < this.#end) this.#begin(position); // the log was restored to an older state: what follows is another story
    this.#end = end;
    if (position > this.#last) this.#begin(position);
    if (position === this.#last) await this.#readOn();
    if (position < this.#before) return undefined;
    return this.#events.slice(Number(position - this.#before), Number(end - this.#before));
  }

  get #last(): bigint {
    return this.#before + BigInt(this.#events.length);
  }

  #begin(position: bigint): void {
    this.#events = [];
    this.#before = position;
    this.#bytes = 0;
  }

  async #readOn(): Promise<void> {
    this.#reading ??= this.#append(this.#last).finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #append(after: bigint): Promise<void> {
    const events = await this.#read(after);
    if (after !== this.#last) return; // it was begun anew meanwhile
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += event.data.length;
    }
    let dropped = 0;
    while (this.#events.length - dropped > maxEvents || (this.#bytes > maxBytes && dropped < this.#events.length - 1)) {
      this.#bytes -= this.#events[dropped]?.data.length ?? 0;
      dropped++;
    }
    this.#events.splice(0, dropped);
    this.#before += BigInt(dropped);
  }
}
