/** A timer that was set and may be taken back. Taking it back twice, or late, is no error. */
export interface Timer {
  cancel(): void;
}

/** Time, handed in wherever it is needed, so that a test or a simulation can be its master. */
export interface Clock {
  /**
   * Milliseconds since about the epoch, with fractions: for spans and deadlines. It goes on evenly whatever becomes of
   * the machine's date, so it is neither shown to anybody nor kept: two machines, or two runs, may differ.
   */
  now(): number;
  /** Milliseconds since the epoch, whole: what the calendar shows. It may jump, so no span is measured by it. */
  wall(): number;
  /** Calls `fn` once after `ms` milliseconds. Set timers keep the process alive only if `keepAlive` says so. */
  setTimer(ms: number, fn: () => void, keepAlive?: boolean): Timer;
  /** Resolves after `ms` milliseconds, or rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Longest span that a timer of the platform can hold; above it Node fires at once. */
const maxTimerMs = 2 ** 31 - 1;

/** What the calendar showed when this process, by its even clock, was at 0. */
const startedAt = performance.timeOrigin;

/**
 * The machine's own time. Node's timers know whole milliseconds and fire up to one early; these wait for the rest, for who
 * looks whether its time has come, and finds that it has not, is not told again.
 */
export const systemClock: Clock = {
  now: () => startedAt + performance.now(),
  wall: () => Date.now(),
  setTimer(ms, fn, keepAlive = false) {
    const dueAt = performance.now() + Math.min(Math.max(ms, 0), maxTimerMs);
    const wait = (leftMs: number) => {
      const set = setTimeout(fire, Math.ceil(leftMs));
      return keepAlive ? set : set.unref();
    };
    const fire = () => {
      const leftMs = dueAt - performance.now();
      if (leftMs > 0) timer = wait(leftMs);
      else fn();
    };
    let timer = wait(dueAt - performance.now());
    return { cancel: () => clearTimeout(timer) };
  },
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal, true),
};

/** Sleeping, made of a clock's timers: what every `Clock.sleep` does. */
export function sleepOn(
  clock: Pick<Clock, "setTimer">,
  ms: number,
  signal: AbortSignal | undefined,
  keepAlive = false,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const wake = () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    const timer = clock.setTimer(ms, wake, keepAlive);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
