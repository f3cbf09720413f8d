import type { Deadlines, Due } from "../base/deadlines.ts";
import type { HedgeRules } from "../call/policy.ts";
import { type HedgeFacts, hedgeDelayMs } from "./policy/hedge-policy.ts";
import type { Latency } from "./policy/latency.ts";

/** What the hedging of one call is made of. */
export interface HedgingOptions {
  readonly rules: HedgeRules;
  readonly latency: Latency;
  readonly deadlines: Deadlines;
  /** Races the attempt under way by another. */
  readonly race: () => void;
}

/** When the attempt of a call is raced by another: after the time that its contract names, as long as nobody has answered. */
export class Hedging implements Due {
  readonly #options: HedgingOptions;
  #extras = 0;
  #dueAt: number | undefined;

  constructor(options: HedgingOptions) {
    this.#options = options;
  }

  /** Plans the next race anew, if there is to be one. */
  plan(facts: Omit<HedgeFacts, "extras">): void {
    this.takeBack();
    const { rules, latency, deadlines } = this.#options;
    const afterMs = hedgeDelayMs(rules, latency, { ...facts, extras: this.#extras });
    if (afterMs === undefined) return;
    this.#dueAt = facts.now + afterMs;
    deadlines.add(this.#dueAt, this);
  }

  /** There is to be no other. */
  takeBack(): void {
    if (this.#dueAt !== undefined) this.#options.deadlines.remove(this.#dueAt, this);
    this.#dueAt = undefined;
  }

  /** The attempt under way has taken as long as a hedge waits for. */
  expire(): void {
    this.#dueAt = undefined;
    this.#extras++;
    this.#options.race();
  }
}
