import { getAbortSignalReason } from "@connectrpc/connect/protocol";

/**
 * The same stream, ended by an error as soon as the signal aborts, whatever its source does about the signal, and
 * whether or not anybody reads on: Connect's readers leave without a word. The source is told to clean up; `onEnd` is
 * called once, however the stream ends, with why unless it ended well or its reader left.
 */
export function untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
  onEnd: (reason?: unknown) => void = () => {},
): AsyncIterable<T> {
  const iterator = source[Symbol.asyncIterator]();
  let stop: (reason: unknown) => void = () => {}; // ends the wait for the step under way
  let over = false;
  const end = (done: boolean, reason?: unknown) => {
    if (over) return;
    over = true;
    signal.removeEventListener("abort", onAbort);
    if (!done) void iterator.return?.().catch(() => {}); // its own clean-up failing is nobody's news any more
    onEnd(reason);
  };
  const onAbort = () => {
    stop(getAbortSignalReason(signal));
    end(false, getAbortSignalReason(signal));
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });

  const step = () =>
    new Promise<IteratorResult<T>>((resolve, reject) => {
      stop = reject;
      if (signal.aborted) reject(getAbortSignalReason(signal));
      else iterator.next().then(resolve, reject);
    });
  async function* steps() {
    try {
      for (let next = await step(); next.done !== true; next = await step()) yield next.value;
      end(true);
    } catch (reason) {
      end(false, reason);
      throw reason;
    } finally {
      end(false); // its reader left
    }
  }
  return steps();
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

/** Whether a request or an answer is messages one after the other, and not one. */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
