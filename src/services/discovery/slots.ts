/** A number of places; who finds none free waits for one, first come, first served. */
export interface Slots {
  /** Runs the work in a place of its own; rejects with the signal's reason if that comes first. */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** So many places, all of them free. */
export function createSlots(count: number): Slots {
  let free = count;
  const waiting = new Set<() => void>();

  async function enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (free > 0) return void free--;
    const turn = Promise.withResolvers<void>();
    const stop = () => {
      waiting.delete(turn.resolve);
      turn.reject(signal.reason);
    };
    waiting.add(turn.resolve);
    signal.addEventListener("abort", stop, { once: true });
    await turn.promise;
    signal.removeEventListener("abort", stop);
  }

  function leave(): void {
    const [next] = waiting;
    if (!next) return void free++;
    waiting.delete(next);
    next(); // the place passes on; it was never free
  }

  return {
    async run(work, signal) {
      await enter(signal);
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
