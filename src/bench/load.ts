/** How many calls to make, and how many of them at once. */
export interface Load {
  readonly calls: number;
  readonly inFlight: number;
}

/** How a load went. */
export interface Measured {
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Makes the calls in a closed loop: each of the `inFlight` callers makes its next one when its last one has ended. */
export async function runLoad(call: () => Promise<unknown>, { calls, inFlight }: Load): Promise<Measured> {
  const durations = new Float64Array(calls);
  let begun = 0;
  async function caller(): Promise<void> {
    for (let mine = begun++; mine < calls; mine = begun++) {
      const startedAt = performance.now();
      await call();
      durations[mine] = performance.now() - startedAt;
    }
  }
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: inFlight }, caller));
  const seconds = (performance.now() - startedAt) / 1_000;
  durations.sort();
  const at = (ratio: number) => durations[Math.min(calls - 1, Math.floor(calls * ratio))] ?? 0;
  return { callsPerSecond: calls / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}
