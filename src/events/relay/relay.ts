import { fullJitter } from "../../base/backoff.ts";
import { type Clock, systemClock, type Timer } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { type Random, systemRandom } from "../../base/random.ts";
import { runDetached } from "../../call/context.ts";
import type { LogHead } from "../log/log-head.ts";
import type { Outbox } from "../outbox/outbox.ts";

/** Two passes are at least so far apart, unless told otherwise, so that under load each takes many events. */
const defaultGapMs = 5;
/** How long closing waits for a pass under way. */
const closeMs = 5_000;

/** Publishes what waits, or some of it. True when there may be more at once. */
export type PublishSome = () => Promise<boolean>;

/** What a relay is made of. */
export interface RelayOptions {
  readonly outbox: Outbox;
  readonly head: LogHead;
  readonly publish: PublishSome;
  /** How many milliseconds two passes are apart at least. Default 5. */
  readonly gapMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/** What publishes the events of a service. Closing it lets the pass under way end. */
export interface Relay extends AsyncDisposable {
  /** Has it look for events now. */
  wake(): void;
  /** Resolves when the pass under way has ended; rejects when closing has given up waiting for it. */
  idle(): Promise<void>;
}

/**
 * Publishes soon after each commit of this process, and whenever a look at the log shows that something waits. What fails is
 * tried again, for as long as it takes: nothing is lost by waiting, as it all lies in the database.
 */
export function startRelay(options: RelayOptions): Relay {
  return new RunningRelay(options);
}

/** Resting: nothing to do, as far as is known. Waiting: a timer is set. Passing: with `again` once there is more to do. */
type State =
  | { readonly name: "resting" }
  | { readonly name: "waiting"; readonly timer: Timer }
  | { readonly name: "passing"; readonly done: Promise<void>; again: boolean }
  | { readonly name: "closed"; passing: boolean };

class RunningRelay implements Relay {
  readonly #options: RelayOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #backoff: (attempt: number) => number;
  readonly #leave: () => void;
  #state: State = { name: "resting" };
  #passedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;

  constructor(options: RelayOptions) {
    const { outbox, head, clock = systemClock, random = systemRandom, log = silentLogger } = options;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#backoff = fullJitter({ initialMs: 100, maxMs: 10_000, random });
    this.#leave = outbox.onCommit(() => this.wake());
    head.onLook = (waiting) => {
      if (waiting) this.wake();
    };
    this.wake();
  }

  wake(): void {
    switch (this.#state.name) {
      case "resting":
        return this.#passSoon();
      case "passing":
        this.#state.again = true;
        return;
      case "waiting": // its time comes; after a failure, no sooner than that
      case "closed":
        return;
    }
  }

  async idle(): Promise<void> {
    if (this.#state.name === "passing") await this.#state.done;
    else if (this.#state.name === "closed" && this.#state.passing) throw new Error("events are still being sent");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const state = this.#state;
    this.#leave();
    this.#options.head.onLook = () => {};
    if (state.name === "closed") return;
    this.#state = { name: "closed", passing: state.name === "passing" };
    if (state.name === "waiting") state.timer.cancel();
    if (state.name !== "passing") return;
    const late = new AbortController();
    const wait = this.#clock.sleep(closeMs, late.signal).catch(() => {}); // the pass has ended first
    await Promise.race([state.done, wait]);
    late.abort();
  }

  #passSoon(): void {
    const { gapMs = defaultGapMs } = this.#options;
    const ms = this.#passedAt + gapMs - this.#clock.now();
    if (ms > 0) this.#wait(ms);
    else runDetached(() => this.#pass());
  }

  #wait(ms: number): void {
    const timer = runDetached(() => this.#clock.setTimer(ms, () => this.#pass()));
    this.#state = { name: "waiting", timer };
  }

  #pass(): void {
    const done = this.#publish().then((next) => this.#passed(next));
    this.#state = { name: "passing", done, again: false };
  }

  #passed(next: "rest" | "again" | "retry"): void {
    this.#passedAt = this.#clock.now();
    if (this.#state.name === "closed") this.#state.passing = false;
    if (this.#state.name !== "passing") return;
    if (next === "retry") return this.#wait(1 + this.#backoff(this.#failures));
    const { again } = this.#state;
    this.#state = { name: "resting" };
    if (next === "again")
      this.#wait(0); // not in the same turn of the event loop: calls come first
    else if (again) this.wake();
  }

  async #publish(): Promise<"rest" | "again" | "retry"> {
    const { publish, outbox } = this.#options;
    try {
      const more = await publish();
      if (this.#failures > 0) this.#log.info("events are published again", { source: outbox.source });
      this.#failures = 0;
      return more ? "again" : "rest";
    } catch (error) {
      const about = { source: outbox.source, backlog: outbox.backlog, error };
      if (this.#failures++ === 0) this.#log.warn("events cannot be published for the moment; they wait", about);
      return "retry";
    }
  }
}
