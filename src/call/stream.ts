import { getAbortSignalReason } from "@connectrpc/connect/protocol";

/**
 * The same stream, ended by an error as soon as the signal aborts, whatever its source does about the signal. The
 * source is told to clean up; `onEnd` is called once, however the stream ends.
 */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
  onEnd?: () => void,
): AsyncIterable<T> {
  const iterator = source[Symbol.asyncIterator]();
  let giveUp: ((reason: unknown) => void) | undefined; // rejects the step being awaited; each step has a promise of its own
  const onAbort = () => giveUp?.(getAbortSignalReason(signal));
  signal.addEventListener("abort", onAbort, { once: true });
  let ended = false;
  try {
    for (;;) {
      if (signal.aborted) throw getAbortSignalReason(signal);
      const step = await new Promise<IteratorResult<T>>((resolve, reject) => {
        giveUp = reject;
        iterator.next().then(resolve, reject);
      });
      ended = step.done === true;
      if (step.done) return;
      yield step.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    if (!ended) void iterator.return?.().catch(() => {}); // its own clean-up failing is nobody's news any more
    onEnd?.();
  }
}

/** The promise's outcome, or the signal's reason if that comes first. The promise is left to end on its own. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(getAbortSignalReason(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
