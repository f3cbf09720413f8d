import { getAbortSignalReason } from "@connectrpc/connect/protocol";

/** One who waits: `tried` says whether it got something when its turn came; if not, it stays in front. */
interface Waiter {
  readonly tried: () => boolean;
  readonly failed: (reason: unknown) => void;
}

/** A line of those who wait for something that there is not enough of; whoever came first gets it first. */
export class Line {
  readonly #waiters = new Set<Waiter>();

  /** Whether nobody waits. */
  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  /** What `tryOnce` answers, as soon as it is its turn and it answers something; rejects when the signal aborts first. */
  wait<T>(tryOnce: () => T | undefined, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = () => waiter.failed(getAbortSignalReason(signal as AbortSignal));
      const leave = () => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener("abort", stop);
      };
      const waiter: Waiter = {
        tried() {
          const got = tryOnce();
          if (got === undefined) return false;
          leave();
          resolve(got);
          return true;
        },
        failed(reason) {
          leave();
          reject(reason);
        },
      };
      this.#waiters.add(waiter);
      signal?.addEventListener("abort", stop, { once: true });
      if (signal?.aborted) stop();
      else if (this.#waiters.size === 1) this.advance();
    });
  }

  /** There may be something again: those in front try, until one gets nothing. */
  advance(): void {
    for (const waiter of this.#waiters) {
      try {
        if (!waiter.tried()) return;
      } catch (reason) {
        waiter.failed(reason);
      }
    }
  }

  /** There will be nothing any more. `reason` makes each one an error of its own. */
  close(reason: () => unknown): void {
    for (const waiter of this.#waiters) waiter.failed(reason());
  }
}
