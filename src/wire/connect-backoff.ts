import { type Random, systemRandom } from "../base/random.ts";

/** What a back-off may differ in. */
export interface ConnectBackoffOptions {
  /** After the first failure, in milliseconds. */
  readonly minMs?: number;
  /** What it never passes, in milliseconds. */
  readonly maxMs?: number;
  readonly random?: Random;
}

/** How each wait grows out of the one before, and how far the dice move it: gRPC's numbers. */
const multiplier = 1.6;
const jitterRatio = 0.2;

/** The longest for which a call that has nowhere else to go is refused. */
const refusalMs = 1_000;

/**
 * When an endpoint that could not be reached may be tried again: gRPC's exponential back-off with jitter
 * (https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md), from the end of the try that failed.
 *
 * It begins with 100 ms, where gRPC has a second: an endpoint in a data centre fails mostly because its process is being
 * restarted, which is over in less. And it tells two times. Until `preferredAt` whoever has other endpoints should leave
 * this one alone; until `allowedAt`, a second at the most, nobody at all may try. So one bad endpoint among several is
 * tried ever more seldom, while the only one there is has its next try soon after it is back.
 */
export class ConnectBackoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #random: Random;
  #failures = 0;
  #preferredAt = Number.NEGATIVE_INFINITY;
  #allowedAt = Number.NEGATIVE_INFINITY;

  constructor({ minMs = 100, maxMs = 120_000, random = systemRandom }: ConnectBackoffOptions = {}) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** From when it is as good as others again, in the clock's milliseconds. */
  get preferredAt(): number {
    return this.#preferredAt;
  }

  /** From when it may be tried at all. */
  get allowedAt(): number {
    return this.#allowedAt;
  }

  /** A try has failed, just now. */
  failed(now: number): void {
    const ms = Math.min(this.#maxMs, this.#minMs * multiplier ** this.#failures++);
    const waitMs = ms * (1 - jitterRatio + 2 * jitterRatio * this.#random());
    this.#preferredAt = now + waitMs;
    this.#allowedAt = now + Math.min(waitMs, refusalMs);
  }

  /** A connection has proved itself: what was before is forgotten. */
  succeeded(): void {
    this.#failures = 0;
    this.#preferredAt = this.#allowedAt = Number.NEGATIVE_INFINITY;
  }
}
