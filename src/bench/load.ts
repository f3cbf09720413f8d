/** For how long to make calls, and how many of them at once. */
export interface Load {
  readonly ms: number;
  readonly inFlight: number;
}

/** One call, whatever it answers. */
export type Call = () => Promise<unknown>;

/** Where a service answers: "host:port", one or several. */
export type Addresses = readonly [string, ...string[]];

/** How a load went. */
export interface Measured {
  readonly calls: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What came back as bodies, per call: whoever answers with less has not answered. */
  readonly bytesPerCall: number;
}

/** One stretch of calls being timed. It ends with the last call that was begun before its time was over. */
export class Lap {
  readonly #startedAt = performance.now();
  readonly #endsAt: number;
  #durations = new Float64Array(2 ** 16);
  #calls = 0;
  /** Body bytes that have come back. */
  bytes = 0;

  constructor(ms: number) {
    this.#endsAt = this.#startedAt + ms;
  }

  /** Notes a call that began at `startedAt`; whether there is time for another. */
  ended(startedAt: number): boolean {
    const now = performance.now();
    if (this.#calls === this.#durations.length) this.#grow();
    this.#durations[this.#calls++] = now - startedAt;
    return now < this.#endsAt;
  }

  measured(): Measured {
    const calls = this.#calls;
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    const sorted = this.#durations.subarray(0, calls).sort();
    const at = (share: number) => sorted[Math.min(calls - 1, Math.floor(calls * share))] ?? Number.NaN;
    return { calls, seconds, p50Ms: at(0.5), p99Ms: at(0.99), bytesPerCall: this.bytes / calls };
  }

  #grow(): void {
    const larger = new Float64Array(this.#durations.length * 2);
    larger.set(this.#durations);
    this.#durations = larger;
  }
}

/** Makes calls in a closed loop: each of the `inFlight` callers makes its next one when its last one has ended. */
export async function runLoad(call: Call, { ms, inFlight }: Load): Promise<Measured> {
  const lap = new Lap(ms);
  async function caller(): Promise<void> {
    let startedAt: number;
    do {
      startedAt = performance.now();
      await call();
    } while (lap.ended(startedAt));
  }
  await Promise.all(Array.from({ length: inFlight }, caller));
  return lap.measured();
}
