import type { Clock } from "../../base/clock.ts";
import type { ServerHooks } from "../../server/hooks.ts";

/** Notes when calls came to a server, those that it refused among them. */
export class Arrivals implements ServerHooks {
  /** By the clock. */
  readonly times: number[] = [];
  readonly #clock: Pick<Clock, "now">;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  callStarted(): void {
    this.times.push(this.#clock.now());
  }

  /** How many came in the span. */
  between(from: number, to: number): number {
    return countBetween(this.times, from, to);
  }
}

/** How many of the instants lie in the span. */
export function countBetween(times: readonly number[], from: number, to: number): number {
  return times.reduce((count, at) => count + (at >= from && at < to ? 1 : 0), 0);
}
