import { setTimeout as sleep } from "node:timers/promises";

/** How often to look, and for how long. */
export interface EventuallyOptions {
  /** Default 15 s. */
  readonly withinMs?: number;
  /** Default 25 ms. */
  readonly everyMs?: number;
}

/**
 * Looks again and again until `look` answers with something, and answers with that. A look that throws or answers with
 * `undefined` or `false` is followed by another; when time is up, `what` and the last failure are the error.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { withinMs = 15_000, everyMs = 25 }: EventuallyOptions = {},
): Promise<T> {
  const endsAt = performance.now() + withinMs;
  for (let cause: unknown; ; ) {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
    } catch (reason) {
      cause = reason;
    }
    if (performance.now() >= endsAt) throw new Error(`not within ${withinMs} ms: ${what}`, { cause });
    await sleep(everyMs);
  }
}
