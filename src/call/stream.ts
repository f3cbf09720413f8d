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
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => {}); // it is raced below; nobody races it when the stream ends first
  const onAbort = () => reject(getAbortSignalReason(signal));
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  let ended = false;
  try {
    for (;;) {
      const step = await Promise.race([aborted, iterator.next()]);
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
