import type { Clock } from "../../base/clock.ts";

/** So many events that come together, the first of which is so late, are a backlog: an outage's, rather than a busy moment's. */
const backlogFrom = { events: 100, delayMs: 5_000 };
/** How long to rest after a transaction of a backlog, in times what that took. */
const restTimes = 4;
/** A transaction that took long has waited itself, for a database that is a server: calls have had the event loop meanwhile. */
const longestRestMs = 15;
/** A backlog whose events are so much later than those before them grows faster than it is worked off. */
const patienceMs = 60_000;

/**
 * Says when the events of one source give way to calls. A backlog, as after an outage, gets a fifth of the time, so that calls seldom
 * meet it; unless it falls behind by another minute even so: then it gets all it can, until it is worked off.
 */
export class Pace {
  readonly #clock: Clock;
  #leastDelayMs = Number.POSITIVE_INFINITY;
  #isUrgent = false;
  #restedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether so many events that came together, the first of which is so late, give way to calls. */
  givesWay(together: number, delayMs: number): boolean {
    if (together < backlogFrom.events || delayMs < backlogFrom.delayMs) {
      this.#leastDelayMs = Number.POSITIVE_INFINITY;
      this.#isUrgent = false;
      return false;
    }
    this.#leastDelayMs = Math.min(this.#leastDelayMs, delayMs);
    this.#isUrgent ||= delayMs > this.#leastDelayMs + patienceMs;
    return !this.#isUrgent;
  }

  /** Takes note of a transaction that took so long. */
  took(tookMs: number): void {
    const restMs = Math.min(tookMs * restTimes, longestRestMs);
    this.#restedAt = Math.max(this.#restedAt, this.#clock.now() + restMs);
  }

  /** Gives way, before a transaction, for those before it. */
  async rest(): Promise<void> {
    const ms = this.#restedAt - this.#clock.now();
    if (ms > 0) await this.#clock.sleep(ms);
  }
}
