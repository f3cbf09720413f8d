import type { Random } from "../base/random.ts";

/** When connections have served: their age, and how long they may be idle. In milliseconds. */
export interface WearOptions {
  readonly maxAgeMs?: number;
  readonly idleMs?: number;
  readonly surplusIdleMs?: number;
}

/** What a connection is, among those of its session. */
export interface Worn {
  /** When its time is over, as `endsAt` said. */
  readonly endsAt: number;
  readonly idleMs: number;
  readonly hasOthers: boolean;
  /** Whether one of those has time left. */
  readonly hasSuccessor: boolean;
}

/** How far the dice move an age, so that what opened together does not open again together (gRFC A9). */
const jitterRatio = 0.1;

/** A time from `now`, 10 % more or less by the dice. */
export function agedAt(now: number, ageMs: number, random: Random): number {
  return now + ageMs * (1 - jitterRatio + 2 * jitterRatio * random());
}

/** Decides what becomes of connections that have grown old or idle: before a server, or something between, decides it. */
export class Wear {
  readonly #maxAgeMs: number;
  readonly #idleMs: number;
  readonly #surplusIdleMs: number;
  readonly #random: Random;

  constructor({ maxAgeMs = 600_000, idleMs = 270_000, surplusIdleMs = 30_000 }: WearOptions, random: Random) {
    this.#maxAgeMs = maxAgeMs;
    this.#idleMs = idleMs;
    this.#surplusIdleMs = surplusIdleMs;
    this.#random = random;
  }

  /** When the time of one is over that opens now. */
  endsAt(now: number): number {
    return agedAt(now, this.#maxAgeMs, this.#random);
  }

  /** `replace`: another is to open first, and this one to leave then. */
  verdict({ endsAt, idleMs, hasOthers, hasSuccessor }: Worn, now: number): "keep" | "leave" | "replace" {
    if (idleMs >= (hasOthers ? this.#surplusIdleMs : this.#idleMs)) return "leave";
    if (now < endsAt) return "keep";
    return hasSuccessor || idleMs >= this.#surplusIdleMs ? "leave" : "replace";
  }
}
