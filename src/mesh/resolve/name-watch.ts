import type { Clock, Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { messageOf } from "../../base/message-of.ts";
import type { Random } from "../../base/random.ts";
import { Watchable } from "../../base/watch.ts";
import type { DnsLookup } from "./dns-lookup.ts";
import { type DnsName, endpointsOf } from "./dns-name.ts";
import type { Endpoint, Resolution } from "./resolver.ts";

/** How long an answer is believed, give or take a tenth. */
const refreshMs = 30_000;

/** How soon the same name may be looked up again, whoever asks for that; and the first wait after a failure. */
const shortestMs = 1_000;

/** How long a lookup may take. */
const patienceMs = 5_000;

/** What a name is followed with. */
export interface NameWatchParts {
  /** Whose endpoints they are: for people. */
  readonly service: string;
  readonly lookup: DnsLookup;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** `asking`: until the timer, an answer is waited for. `waiting`: at `dueAt`, which is the timer's, it asks again. */
type State =
  | { readonly kind: "asking"; readonly timer: Timer; readonly askedAt: number }
  | { readonly kind: "waiting"; readonly timer: Timer; readonly askedAt: number; readonly dueAt: number }
  | { readonly kind: "closed" };

/** One name, looked up at once and again and again until it is disposed of; its last good answer stays. */
export class NameWatch implements Disposable {
  readonly followed = new Watchable<Resolution>({ kind: "pending" });
  readonly #name: DnsName;
  readonly #parts: NameWatchParts;
  #state: State;
  #failures = 0;

  constructor(name: DnsName, parts: NameWatchParts) {
    this.#name = name;
    this.#parts = parts;
    this.#state = this.#ask();
  }

  /** Asks again soon: a second after it last asked, or at once if that is over. */
  lookAgain(): void {
    const now = this.#parts.clock.now();
    if (this.#state.kind !== "waiting") return; // what is being asked will be news
    const dueAt = Math.max(now, this.#state.askedAt + shortestMs);
    if (dueAt >= this.#state.dueAt) return;
    this.#state.timer.cancel();
    this.#state = this.#waiting(this.#state.askedAt, dueAt - now);
  }

  [Symbol.dispose](): void {
    if (this.#state.kind !== "closed") this.#state.timer.cancel();
    this.#state = { kind: "closed" };
  }

  #ask(): State {
    const { clock, lookup } = this.#parts;
    const late = () => this.#failed(asking, `DNS has not answered within ${patienceMs} ms`);
    const asking: State = { kind: "asking", timer: clock.setTimer(patienceMs, late), askedAt: clock.now() };
    endpointsOf(this.#name, lookup).then(
      (endpoints) => this.#answered(asking, endpoints),
      (reason) => this.#failed(asking, messageOf(reason)),
    );
    return asking;
  }

  /** An answer to what it does not ask any more is not listened to. */
  #answered(asking: State, endpoints: readonly Endpoint[]): void {
    if (this.#state !== asking || asking.kind !== "asking") return;
    asking.timer.cancel();
    this.#failures = 0;
    this.#state = this.#waiting(asking.askedAt, this.#around(refreshMs));
    const { value } = this.followed;
    if (value.kind !== "live" || !areSame(value.endpoints, endpoints)) this.followed.set({ kind: "live", endpoints });
  }

  #failed(asking: State, problem: string): void {
    if (this.#state !== asking || asking.kind !== "asking") return;
    asking.timer.cancel();
    const waitMs = Math.min(refreshMs, shortestMs * 2 ** this.#failures++);
    this.#state = this.#waiting(asking.askedAt, this.#around(waitMs));
    const { service, log } = this.#parts;
    if (this.#failures === 1)
      log.warn("DNS does not help; calls go on with the endpoints known last", { service, problem });
    const { value } = this.followed;
    const endpoints = value.kind === "pending" ? [] : value.endpoints;
    if (value.kind !== "last-known" || value.problem !== problem) {
      this.followed.set({ kind: "last-known", endpoints, problem });
    }
  }

  #waiting(askedAt: number, waitMs: number): State {
    const { clock } = this.#parts;
    const again = () => {
      this.#state = this.#ask();
    };
    return { kind: "waiting", timer: clock.setTimer(waitMs, again), askedAt, dueAt: clock.now() + waitMs };
  }

  /** So that those who started together do not ask together. */
  #around(ms: number): number {
    return ms * (0.9 + 0.2 * this.#parts.random());
  }
}

function areSame(some: readonly Endpoint[], others: readonly Endpoint[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ id, weight }, index) => id === others[index]?.id && weight === others[index]?.weight)
  );
}
