/** How many calls to a target may be under way at once, and how many may wait for that. */
export interface BulkheadRules {
  readonly maxInFlight: number;
  readonly maxQueued: number;
}

/** A call that waits for a place. The call itself may be one: nothing is made for those that need not wait. */
export interface Waiter {
  /** It has a place now, which it has to `leave`. Must not throw. */
  admitted(): void;
}

/**
 * Keeps a slow target from taking all of its callers' memory: so many calls are under way at once, a few wait in the
 * order they came, and the rest are told at once that there is no place, while that is cheap.
 */
export class Bulkhead {
  readonly #rules: BulkheadRules;
  /** In the order they came; one that gives up leaves from the middle. */
  readonly #queue = new Set<Waiter>();
  #inFlight = 0;

  constructor(rules: BulkheadRules) {
    this.#rules = rules;
  }

  /** Calls that have a place. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Calls that wait for one. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Takes a place if one is free. */
  takePlace(): boolean {
    if (this.#inFlight >= this.#rules.maxInFlight) return false;
    this.#inFlight++;
    return true;
  }

  /** Takes a place, or waits for one. `queued`: the waiter is told when it has one; `full`: it will have none. */
  enter(waiter: Waiter): "in" | "queued" | "full" {
    if (this.takePlace()) return "in";
    if (this.#queue.size >= this.#rules.maxQueued) return "full";
    this.#queue.add(waiter);
    return "queued";
  }

  /** A waiter does not want a place any more. Without effect on one that has one already. */
  giveUp(waiter: Waiter): void {
    this.#queue.delete(waiter);
  }

  /** Gives a place back: to the one who has waited longest, if there is one, so that nobody who comes now overtakes. */
  leave(): void {
    for (const waiter of this.#queue) {
      this.#queue.delete(waiter);
      return waiter.admitted();
    }
    this.#inFlight--;
  }

  /** Why there is no place, in words that follow the target's name and "has". */
  get why(): string {
    return `${this.#inFlight} calls under way and ${this.#queue.size} waiting, and no place for more`;
  }
}

/** The bulkheads of one target. Methods with the same rules share one. */
export class Bulkheads {
  readonly #byRules = new Map<string, Bulkhead>();

  /** The one of a method's rules. To be kept by whoever asks: it is the same each time. */
  of({ maxInFlight, maxQueued }: BulkheadRules): Bulkhead {
    const key = `${maxInFlight} ${maxQueued}`;
    const known = this.#byRules.get(key);
    if (known !== undefined) return known;
    const made = new Bulkhead({ maxInFlight, maxQueued });
    this.#byRules.set(key, made);
    return made;
  }
}
