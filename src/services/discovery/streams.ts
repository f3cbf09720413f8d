/** Calls `end` once any of the signals aborts, at once if one has already; no longer after it is disposed of. */
export function onAbort(signals: readonly AbortSignal[], end: () => void): Disposable {
  for (const signal of signals) signal.addEventListener("abort", end);
  if (signals.some((signal) => signal.aborted)) end();
  return {
    [Symbol.dispose]() {
      for (const signal of signals) signal.removeEventListener("abort", end);
    },
  };
}

/** The items until there are no more, or until any of the signals aborts, even while the next one is awaited. */
export async function* untilAnyAborts<T>(items: AsyncIterable<T>, signals: readonly AbortSignal[]): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  let stop = () => {};
  using _stopping = onAbort(signals, () => stop());
  while (!signals.some((signal) => signal.aborted)) {
    const next = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
      stop = () => resolve(undefined);
      iterator.next().then(resolve, reject);
    });
    if (!next || next.done) return;
    yield next.value;
  }
}
