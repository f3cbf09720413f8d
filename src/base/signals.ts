/** A signal that aborts with the first of several, and can be let go before any of them does. */
export interface LinkedSignal extends Disposable {
  readonly signal: AbortSignal;
  /** Aborts this signal alone. */
  abort(reason: unknown): void;
}

/**
 * Links signals. Disposing it takes the listeners off again, which `AbortSignal.any` never does: a signal that lives
 * as long as the process would collect one for every call.
 */
export function linkSignals(...sources: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController();
  const listeners: (() => void)[] = [];
  for (const source of sources) {
    if (source === undefined) continue;
    if (source.aborted) {
      controller.abort(source.reason);
      break;
    }
    const forward = () => controller.abort(source.reason);
    source.addEventListener("abort", forward, { once: true });
    listeners.push(() => source.removeEventListener("abort", forward));
  }
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]() {
      for (const takeOff of listeners) takeOff();
    },
  };
}
