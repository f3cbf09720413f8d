import { type Random, systemRandom } from "../../base/random.ts";
import { CountWindow } from "../../base/window.ts";
import type { Verdict } from "../../call/outcome.ts";
import type { BreakerRules } from "../../call/policy.ts";

type State =
  | { readonly name: "closed"; failuresInRow: number; newsFrom: number }
  | { readonly name: "open"; readonly until: number; readonly openings: number }
  | { readonly name: "half-open"; readonly until: number; readonly openings: number };

/** A probe that has not ended after this long is lost, and another may go. */
const probeMs = 5_000;

/** Proof of admission: in which era of the circuit an attempt began, and as which of all. */
export interface Permit {
  readonly era: number;
  readonly turn: number;
}

/**
 * Leaves an endpoint alone that fails: open for a while, then one probe decides. Time is told, never asked for.
 *
 * Each change of state begins an era. What was admitted in an earlier one is a straggler: it neither closes nor
 * reopens the circuit, and cannot pass for the probe. Attempts that were under way together and fail together are one
 * failure in the row: a pause of the endpoint, or of this process, fails fifty of them at once and proves no more than one.
 */
export class Circuit {
  readonly #rules: BreakerRules;
  readonly #random: Random;
  readonly #calls = new CountWindow({ slices: 10, sliceMs: 1_000 });
  readonly #failures = new CountWindow({ slices: 10, sliceMs: 1_000 });
  #state: State = { name: "closed", failuresInRow: 0, newsFrom: 0 };
  #era = 0;
  #turns = 0;

  constructor(rules: BreakerRules, random: Random = systemRandom) {
    this.#rules = rules;
    this.#random = random;
  }

  /** Milliseconds until an attempt may go to the endpoint; 0 when one may go now. */
  waitMs(now: number): number {
    return this.#state.name === "closed" ? 0 : Math.max(0, this.#state.until - now);
  }

  /** Admits an attempt that is about to go; to an open circuit whose time is up it goes as the probe. */
  admit(now: number): Permit {
    if (this.#state.name !== "closed" && now >= this.#state.until) {
      this.#enter({ name: "half-open", until: now + probeMs, openings: this.#state.openings });
    }
    return { era: this.#era, turn: this.#turns++ };
  }

  /** Takes in how an admitted attempt ended. */
  record(verdict: Verdict, permit: Permit, now: number): void {
    if (permit.era !== this.#era) return;
    if (this.#state.name === "closed") {
      if (verdict === "ok") this.#succeeded(this.#state, now);
      else if (verdict === "failure") this.#failed(this.#state, permit, now);
    } else if (this.#state.name === "half-open") {
      if (verdict === "ok") this.#close();
      else if (verdict === "failure") this.#open(now, this.#state.openings + 1);
      else this.#enter({ ...this.#state, until: now }); // the probe said nothing: another may go
    }
  }

  #succeeded(closed: Extract<State, { name: "closed" }>, now: number): void {
    this.#calls.add(now);
    closed.failuresInRow = 0;
  }

  #failed(closed: Extract<State, { name: "closed" }>, { turn }: Permit, now: number): void {
    this.#calls.add(now);
    this.#failures.add(now);
    if (turn >= closed.newsFrom) {
      closed.failuresInRow++;
      closed.newsFrom = this.#turns;
    }
    if (closed.failuresInRow >= this.#rules.consecutiveFailures || this.#tooFewSucceed(now)) this.#open(now, 1);
  }

  #tooFewSucceed(now: number): boolean {
    const { minSuccessRatio, minCalls } = this.#rules;
    const calls = this.#calls.sum(now);
    return minSuccessRatio !== undefined && calls >= minCalls && 1 - this.#failures.sum(now) / calls < minSuccessRatio;
  }

  /** Each opening in a row lasts twice as long, up to the most; up to a tenth of jitter keeps clients apart. */
  #open(now: number, openings: number): void {
    const openMs = Math.min(this.#rules.maxOpenMs, this.#rules.openMs * 2 ** (openings - 1));
    this.#enter({ name: "open", until: now + openMs * (1 + this.#random() / 10), openings });
  }

  #close(): void {
    this.#calls.clear();
    this.#failures.clear();
    this.#enter({ name: "closed", failuresInRow: 0, newsFrom: 0 });
  }

  #enter(state: State): void {
    this.#era++;
    this.#state = state;
  }
}
