import { type Random, systemRandom } from "../../base/random.ts";
import type { Verdict } from "../../call/outcome.ts";
import type { BreakerRules } from "../../call/policy.ts";
import { Tally } from "./tally.ts";

type State =
  | { readonly name: "closed" }
  | ({ readonly name: "open" | "probing" } & Span & Opening)
  | ({ readonly name: "half-open" } & Opening)
  | ({ readonly name: "on-trial"; readonly permit: Permit } & Span & Opening);

/** When a state that time ends began, and when it ends. */
interface Span {
  readonly from: number;
  readonly until: number;
}

/** What an opening remembers until the circuit closes: how many there were in a row, and why. */
interface Opening {
  readonly openings: number;
  readonly why: string;
}

/**
 * `closed`, all may go; `open`, nobody until its time is up; `probing`, nobody, a health call is to be sent;
 * `half-open`, one may go; `on-trial`, that one is under way and nobody else may go.
 */
export type CircuitState = State["name"];

/** Proof of admission: as which of all attempts one began. */
export type Permit = number;

/** What a circuit asks and tells its owner. */
export interface CircuitOptions {
  readonly random?: Random;
  /** How long a health call or a trial may take before it counts as lost. Default 5 000. */
  readonly probeMs?: number;
  /** Asked when a closed circuit wants to open. One that may not stays closed and counts from nothing. */
  readonly mayOpen?: () => boolean;
  /** Told of each change of state, once it has been made. */
  readonly onChange?: (state: CircuitState, now: number) => void;
}

/**
 * Leaves a method of an endpoint alone while it fails or drags: open for a while, then a health call, then one real
 * call decides. Time is told, never asked for: the owner calls `tick` when it is due, and sends the health call.
 *
 * Closed, out and being tried are eras. What was admitted in an earlier one is a straggler: it neither closes nor
 * reopens the circuit, and cannot pass for the trial. Attempts that were under way together and fail together are one
 * failure in the row: a pause of the endpoint, or of this process, fails fifty of them at once and proves no more than one.
 */
export class Circuit {
  readonly #rules: BreakerRules;
  readonly #options: CircuitOptions;
  /** What closed circuits go by. */
  readonly #tally: Tally;
  #state: State = { name: "closed" };
  #turns: Permit = 0;
  /** The first turn whose failure is news. */
  #newsFrom: Permit = 0;
  /** The first turn of this era. */
  #eraFrom: Permit = 0;
  /** The server asked to be left alone until this instant. */
  #notBefore = 0;

  constructor(rules: BreakerRules, options: CircuitOptions = {}) {
    this.#rules = rules;
    this.#options = options;
    this.#tally = new Tally(rules);
  }

  /** Where it stands. */
  get state(): CircuitState {
    return this.#state.name;
  }

  /** Why it last opened, for people; `undefined` while closed. */
  get why(): string | undefined {
    return this.#state.name === "closed" ? undefined : this.#state.why;
  }

  /** In how many milliseconds the owner is to call `tick`; `undefined` while time alone changes nothing. */
  dueInMs(now: number): number | undefined {
    return "until" in this.#state ? leftOf(this.#state, now) : undefined;
  }

  /** Whether an attempt may go to the endpoint. */
  isAdmitting(now: number): boolean {
    const state = this.#state;
    return (
      state.name === "closed" || state.name === "half-open" || (state.name === "on-trial" && leftOf(state, now) === 0)
    );
  }

  /** Milliseconds until it is worth looking again whether an attempt may go; 0 when one may go now. */
  waitMs(now: number): number {
    return this.isAdmitting(now) ? 0 : Math.max(1, this.dueInMs(now) ?? 0);
  }

  /** Admits an attempt that is about to go; one that goes though it may not counts for nothing. */
  admit(now: number): Permit {
    if (this.#state.name !== "closed" && this.isAdmitting(now)) this.#tryWith(this.#turns + 1, now);
    return ++this.#turns;
  }

  /** Takes in how an admitted attempt ended, and whether it took `slowFactor` times the method's p95. */
  record(verdict: Verdict, permit: Permit, now: number, isSlow = false): void {
    if (permit < this.#eraFrom) return;
    if (isTried(this.#state)) {
      this.#triedBy(permit, verdict === "ok" && isSlow && this.#looksAtSlow ? "slow" : verdict, now);
    } else if (this.#state.name === "closed" && verdict !== "neither") {
      const why = verdict === "ok" ? this.#tally.succeeded(isSlow, now) : this.#failed(permit, isSlow, now);
      if (why !== undefined) this.#trip(why, now);
    }
  }

  /** Takes in how the health call ended that `probing` asked for; UNIMPLEMENTED is an answer too. */
  probed(ok: boolean, now: number): void {
    const state = this.#state;
    if (state.name !== "probing") return;
    if (ok) this.#enter({ name: "half-open", openings: state.openings, why: state.why }, now);
    else this.#reopen(state, "the health call failed", now);
  }

  /** Goes where time alone leads: to the health call, past one that is lost, past a trial that is lost. */
  tick(now: number): void {
    const state = this.#state;
    if (!("until" in state) || leftOf(state, now) > 0) return;
    const { openings, why } = state;
    const until = now + this.#probeMs;
    if (state.name === "open") this.#enter({ name: "probing", from: now, until, openings, why }, now);
    else if (state.name === "probing") this.#reopen(state, "the health call was not answered", now);
    else this.#enter({ name: "half-open", openings, why }, now);
  }

  /** The server asked to be left alone for so long: no opening ends sooner, up to the most. It opens nothing by itself. */
  pushback(ms: number, now: number): void {
    const state = this.#state;
    this.#notBefore = Math.max(this.#notBefore, now + Math.min(ms, this.#rules.maxOpenMs));
    if (state.name === "open" && state.until < this.#notBefore) this.#enter({ ...state, until: this.#notBefore }, now);
  }

  get #probeMs(): number {
    return this.#options.probeMs ?? 5_000;
  }

  #tryWith(permit: Permit, now: number): void {
    if (this.#state.name === "closed") return;
    const { openings, why } = this.#state;
    this.#enter({ name: "on-trial", from: now, until: now + this.#probeMs, permit, openings, why }, now);
  }

  get #looksAtSlow(): boolean {
    return this.#rules.maxSlowRatio !== undefined;
  }

  /** A lost trial that ends well after all has proved it, too. One that says nothing lets another go. */
  #triedBy(permit: Permit, verdict: Verdict | "slow", now: number): void {
    const state = this.#state;
    if (verdict === "ok") this.#close(now);
    else if (state.name !== "on-trial" || permit !== state.permit) return;
    else if (verdict === "neither") this.#enter({ name: "half-open", openings: state.openings, why: state.why }, now);
    else this.#reopen(state, `the call that tried it ${verdict === "slow" ? "was slow" : "failed"}`, now);
  }

  /** Attempts that were under way when another failed tell nothing new by failing, too. */
  #failed(permit: Permit, isSlow: boolean, now: number): string | undefined {
    const isNews = permit >= this.#newsFrom;
    if (isNews) this.#newsFrom = this.#turns + 1;
    return this.#tally.failed(isNews, isSlow, now);
  }

  #trip(why: string, now: number): void {
    if (this.#options.mayOpen?.() === false) this.#tally.clear();
    else this.#open({ openings: 1, why }, now);
  }

  #reopen({ openings }: Opening, why: string, now: number): void {
    this.#open({ openings: openings + 1, why }, now);
  }

  /** Each opening in a row lasts twice as long, up to the most; up to a tenth of jitter keeps clients apart. */
  #open(opening: Opening, now: number): void {
    const { openMs, maxOpenMs } = this.#rules;
    const random = this.#options.random ?? systemRandom;
    const lastsMs = Math.min(maxOpenMs, openMs * 2 ** (opening.openings - 1)) * (1 + random() / 10);
    const until = Math.max(Math.ceil(now + lastsMs), Math.min(this.#notBefore, now + maxOpenMs));
    this.#enter({ name: "open", from: now, until, ...opening }, now);
  }

  #close(now: number): void {
    this.#tally.clear();
    this.#enter({ name: "closed" }, now);
  }

  #enter(state: State, now: number): void {
    if (!isTried(state) || !isTried(this.#state)) this.#eraFrom = this.#turns + 1;
    this.#state = state;
    this.#options.onChange?.(state.name, now);
  }
}

/** Whether real calls try the endpoint: all of them, one after the other, are of one era. */
function isTried({ name }: State): boolean {
  return name === "half-open" || name === "on-trial";
}

/** Milliseconds until the span is over. It is over, too, where the clock stepped back to before it began. */
function leftOf({ from, until }: Span, now: number): number {
  return now < from ? 0 : Math.max(0, until - now);
}
