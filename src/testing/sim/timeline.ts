import { EventQueue, type Happening } from "./event-queue.ts";

/** How many events are asked of the event loop at once: it lets promises settle between any two of them. */
const batch = 32;

/** Where time is, and what brings it on. */
type State =
  | { readonly name: "still" }
  | { readonly name: "running"; readonly until: () => boolean; readonly over: PromiseWithResolvers<void> };

/**
 * Virtual time: it stands still while code runs, and jumps from one event to the next. After each event all promises and
 * next ticks settle, as they do on Node's own event loop after each callback.
 */
export class Timeline {
  readonly startedAt: number;
  readonly #queue = new EventQueue();
  readonly #maxEvents: number;
  #now: number;
  #events = 0;
  #asked = 0;
  #held = 0;
  #state: State = { name: "still" };

  /** Begins at `startMs` milliseconds since the epoch. More than `maxEvents` events are a world that never rests. */
  constructor(startMs: number, maxEvents: number) {
    this.startedAt = startMs;
    this.#now = startMs;
    this.#maxEvents = maxEvents;
  }

  /** Milliseconds since the epoch, in whole microseconds. */
  get now(): number {
    return this.#now;
  }

  /** Milliseconds since it began. */
  get sinceStart(): number {
    return Math.round((this.#now - this.startedAt) * 1_000) / 1_000;
  }

  /** How many events there were. */
  get events(): number {
    return this.#events;
  }

  /** How many events wait for their time. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Lets the event happen once it is that late; a time that has passed means now, after what is due already. */
  at(atMs: number, event: Happening): void {
    event.at = Math.round(Math.max(atMs, this.#now) * 1_000) / 1_000;
    this.#queue.add(event);
  }

  /** Lets `happen` be called once it is that late. */
  call(atMs: number, happen: () => void): Happening {
    const event: Happening = { at: 0, order: 0, place: -1, happen };
    this.at(atMs, event);
    return event;
  }

  /** Takes an event back. */
  cancel(event: Happening): void {
    this.#queue.remove(event);
  }

  /** Lets time go on until `until` says so, which is asked before each event. Rejects when nothing is left to happen. */
  run(until: () => boolean): Promise<void> {
    if (this.#state.name === "running") throw new Error("time is running already");
    const over = Promise.withResolvers<void>();
    this.#state = { name: "running", until, over };
    this.#ask();
    return over.promise;
  }

  /** Time stands still while `work` does something real: reads a file, waits for a database. */
  async outside<T>(work: () => Promise<T>): Promise<T> {
    this.#held++;
    try {
      return await work();
    } finally {
      this.#held--;
      if (this.#held === 0) this.#ask();
    }
  }

  #ask(): void {
    if (this.#asked > 0 || this.#state.name === "still" || this.#held > 0) return;
    this.#asked = batch;
    for (let i = 0; i < batch; i++) setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#asked--;
    if (this.#state.name === "running" && this.#held === 0) this.#step(this.#state);
    this.#ask();
  };

  #step({ until, over }: Extract<State, { name: "running" }>): void {
    try {
      if (until()) return this.#stop(over.resolve);
      const event = this.#queue.take();
      if (event === undefined) throw new Error("nothing is left to happen, and what is waited for has not come");
      if (++this.#events > this.#maxEvents) throw new Error(`more than ${this.#maxEvents} events: it never rests`);
      this.#now = event.at;
      event.happen();
    } catch (reason) {
      this.#stop(() => over.reject(reason));
    }
  }

  #stop(tell: () => void): void {
    this.#state = { name: "still" };
    tell();
  }
}
