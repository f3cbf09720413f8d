import type { Verdict } from "../../call/outcome.ts";

/** Expected latency of an endpoint of which nothing is known, nor of its peers. */
const seedMs = 30;

/** What has been seen of latency counts e times less after each of these. */
const decayMs = 10_000;

/** Latencies below are noise of clock and scheduler: among endpoints this fast only attempts under way count. */
const leastMs = 1;

/** Costs end here, at twelve days: what is still a whole number of 31 bits. */
const mostMs = 2 ** 30;

/** An endpoint that was not asked for so long is asked again, whatever it was last. As long as failures are remembered. */
const staleMs = 10_000;

/** What a failure adds to the cost at first, how long that takes to fade, and how long pushback may make it take. */
const penaltyMs = 5_000;
const penaltyFadeMs = 10_000;
const maxPenaltyFadeMs = 300_000;

/**
 * How busy, slow and failing an endpoint is, as one client sees it: what one more attempt there would cost.
 *
 * Latency is the highest seen, fading by the second: a peak counts at once, and an endpoint that is avoided is tried
 * again after a while. An endpoint that leaves attempts waiting is at least as slow as they have waited, so that one
 * that has stopped answering is left alone long before the first attempt there times out.
 */
export class Load {
  #inFlight = 0;
  /** Attempts that the endpoint has not begun to answer. */
  #waiting = 0;
  /** While some wait: since when some have waited and none has been answered well. */
  #silentSince = 0;
  /** Both are numbers from the beginning: what was ever undefined keeps its fractions on the heap. */
  #latencyMs = 0;
  /** The instant up to which latency has faded. */
  #fadedAt = 0;
  #answers = 0;
  /** When the last attempt began. */
  #askedAt: number;
  #failedAt = 0;
  #forgivenAt = 0;

  /** Nothing is known yet: `expectedMs` is what peers take, else 30 ms. It fades as if it had been seen. */
  constructor(now: number, expectedMs: number = seedMs) {
    this.#fadedAt = now;
    this.#askedAt = now;
    this.#latencyMs = expectedMs;
  }

  /** Attempts under way, streams that go on among them. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether it has answered at least once. */
  get isKnown(): boolean {
    return this.#answers > 0;
  }

  /** An attempt begins. */
  begin(now: number): void {
    this.#inFlight++;
    this.#askedAt = now;
    if (this.#waiting++ === 0) this.#silentSince = now;
  }

  /** A stream has begun to be answered: its latency is known, and it waits for nothing however long it goes on. */
  answered(durationMs: number, now: number): void {
    this.#waiting--;
    this.#silentSince = now;
    if (this.#answers++ === 0) this.#learn(durationMs, now);
    else this.#saw(durationMs, now);
  }

  /**
   * An attempt ends, after `durationMs`, or `undefined` if `answered` was told. Only "failure" is penalized, for longer
   * if the server asks for `pushbackMs`. Latency counts whatever the verdict: who failed or was given up took at least
   * this long, a caller's own error took what answers take, and quick ends never make an endpoint look faster.
   */
  end(verdict: Verdict, durationMs: number | undefined, now: number, pushbackMs = 0): void {
    this.#inFlight--;
    if (durationMs !== undefined) {
      this.#waiting--;
      if (verdict === "ok" && this.#answers === 0) this.#learn(durationMs, now);
      else this.#saw(durationMs, now);
      if (verdict === "ok") this.#silentSince = now;
    }
    if (verdict === "ok") this.#answers++;
    else if (verdict === "failure") this.#penalize(now, pushbackMs);
  }

  /** It was found to be well again: nothing is held against it any more, and its next answer tells how fast it is. */
  forgive(): void {
    this.#forgivenAt = 0;
    this.#answers = 0;
  }

  /**
   * What one more attempt would cost, in milliseconds: expected latency × (inFlight + 1) + penalty. A whole number, for
   * fractions are put on the heap: twice for every pick. Next to nothing for one that nobody has asked for long: what is
   * known of it is old, and by that alone one that was very slow once would be left alone for minutes.
   */
  cost(now: number): number {
    if (this.#inFlight === 0 && now - this.#askedAt >= staleMs && now >= this.#forgivenAt) return leastMs;
    return Math.min(mostMs, this.latencyMs(now) * (this.#inFlight + 1) + this.penaltyMs(now)) | 0;
  }

  /** How long an answer is expected to take. */
  latencyMs(now: number): number {
    this.#fade(now);
    const silentMs = this.#waiting === 0 ? 0 : now - this.#silentSince;
    return Math.max(this.#latencyMs, silentMs, leastMs);
  }

  /** What is left of the penalty for the last failure: it falls in a straight line, to nothing. */
  penaltyMs(now: number): number {
    if (now >= this.#forgivenAt || now < this.#failedAt) return 0;
    return (penaltyMs * (this.#forgivenAt - now)) / (this.#forgivenAt - this.#failedAt);
  }

  /** The first good answer tells more than what was only expected: who was thought slow would wait long to prove better. */
  #learn(durationMs: number, now: number): void {
    this.#latencyMs = durationMs;
    this.#fadedAt = now;
  }

  #saw(durationMs: number, now: number): void {
    this.#fade(now);
    if (durationMs > this.#latencyMs) this.#latencyMs = durationMs;
  }

  /** Does nothing until time has moved: an endpoint is looked at many times within a millisecond. */
  #fade(now: number): void {
    if (now === this.#fadedAt) return;
    if (now > this.#fadedAt) this.#latencyMs *= Math.exp((this.#fadedAt - now) / decayMs);
    this.#fadedAt = now;
  }

  #penalize(now: number, pushbackMs: number): void {
    const fadeMs = Math.min(maxPenaltyFadeMs, Math.max(penaltyFadeMs, pushbackMs));
    const before = now < this.#failedAt ? 0 : this.#forgivenAt; // a clock that stepped back forgives
    this.#failedAt = now;
    this.#forgivenAt = Math.max(before, now + fadeMs);
  }
}

/**
 * What to expect of an endpoint that has just come: the median of what its peers are known to take, else `undefined`.
 * Where they answer in 1 ms, a newcomer thought to take 30 would get nothing for half a minute; where they take 300,
 * it would be stormed.
 */
export function expectedLatencyMs(peers: Iterable<Load>, now: number): number | undefined {
  const known: number[] = [];
  for (const load of peers) if (load.isKnown) known.push(load.latencyMs(now));
  return known.sort((a, b) => a - b)[(known.length - 1) >> 1];
}
