import { classCount } from "./triage.ts";

/** When handlers keep calls waiting. */
export interface ConcurrencyLimitOptions {
  /** How much longer than at their best calls may take, in milliseconds. Default 100. */
  readonly targetDelayMs?: number;
  /** Calls that are let in at once whatever they take. Default 20. */
  readonly minInFlight?: number;
}

/** Fewer calls say nothing of what a method takes. */
const minSamples = 5;
/** What a window without too long waits adds to the limit. */
const growth = 1.1;
/** How fast what is taken for a method's best follows what it takes: where nothing else explains it, and where nothing does. */
const drift = 0.01;
const driftAtMin = 0.2;

/** What the calls of one method took over a window, and take at their best. */
class Timing {
  count = 0;
  sumMs = 0;
  bestMs: number | undefined;
}

/**
 * How many calls may be in their handlers at once: any number, until they take more than twice as long as they do at
 * their best, and longer than that by the target. Then as many as keep the throughput they have while each waits no
 * longer than the target (Little's law: throughput times time is what is under way); that many is found anew in each
 * window, and a little more let in after each that was well.
 *
 * The gradient on the minimum round trip, with two differences from Netflix's: it compares each method with itself, for a
 * change of the mix is no overload; and it knows no limit before there is something to limit, for many calls that wait
 * for something else are none either. The best is a method's fastest window. It forgets that slowly, and not at all while
 * it limits: else a long overload would become what it measures by.
 */
export class ConcurrencyLimit {
  readonly #targetMs: number;
  readonly #min: number;
  readonly #timings = new Map<object, Timing>();
  #limit = Number.POSITIVE_INFINITY;
  #inFlight = 0;
  #answered = 0;
  #hasRefused = false;

  constructor({ targetDelayMs = 100, minInFlight = 20 }: ConcurrencyLimitOptions = {}) {
    this.#targetMs = targetDelayMs;
    this.#min = minInFlight;
  }

  /** Calls that may be in their handlers at once; infinitely many while nothing has to wait. */
  get limit(): number {
    return this.#limit;
  }

  /** Calls in their handlers. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether to refuse a call of the class: the last places are for those who matter most. */
  refuses(callClass: number): boolean {
    if (this.#inFlight < this.#limit * (reach[callClass] as number)) return false;
    this.#hasRefused = true;
    return true;
  }

  /** A call goes to its handler. */
  begin(): void {
    this.#inFlight++;
  }

  /** It has ended: `ms`, how long it took, where that says something; `isAnswered`, whether it was answered well. */
  end(method: object, ms: number | undefined, isAnswered: boolean): void {
    this.#inFlight--;
    if (ms === undefined) return;
    const timing = this.#timings.get(method) ?? this.#timingOf(method);
    timing.count++;
    timing.sumMs += ms;
    if (isAnswered) this.#answered++;
  }

  /** Ends a window of `elapsedMs`, and finds the limit for the next one. */
  adjust(elapsedMs: number): void {
    const { count, takenMs, bestMs } = this.#sums();
    const isOver = takenMs > 2 * bestMs && takenMs - bestMs > this.#targetMs * count;
    const isAtMin = isOver && this.#limit === this.#min;
    for (const timing of this.#timings.values()) this.#learn(timing, isAtMin);
    if (isOver) {
      const kept = (this.#answered / elapsedMs) * (bestMs / count + this.#targetMs);
      this.#limit = Math.max(this.#min, Math.ceil(kept));
    } else this.#limit = this.#hasRefused ? this.#limit * growth : Number.POSITIVE_INFINITY;
    this.#answered = 0;
    this.#hasRefused = false;
  }

  #timingOf(method: object): Timing {
    const timing = new Timing();
    this.#timings.set(method, timing);
    return timing;
  }

  #sums(): { readonly count: number; readonly takenMs: number; readonly bestMs: number } {
    let count = 0;
    let takenMs = 0;
    let bestMs = 0;
    for (const timing of this.#timings.values()) {
      count += timing.count;
      takenMs += timing.sumMs;
      bestMs += Math.min(timing.sumMs, timing.count * (timing.bestMs ?? Number.POSITIVE_INFINITY));
    }
    return { count, takenMs, bestMs };
  }

  #learn(timing: Timing, isAtMin: boolean): void {
    const { count, sumMs, bestMs } = timing;
    if (count >= minSamples) {
      const meanMs = sumMs / count;
      const rate = isAtMin ? driftAtMin : this.#limit === Number.POSITIVE_INFINITY ? drift : 0;
      timing.bestMs = bestMs === undefined || meanMs < bestMs ? meanMs : bestMs + rate * (meanMs - bestMs);
    }
    timing.count = 0;
    timing.sumMs = 0;
  }
}

/** How much of the limit each class may fill. */
const reach: readonly number[] = Object.freeze([0.5, 0.6, 0.7, 0.85, 0.95, 1]);
if (reach.length !== classCount) throw new Error("a class without a reach");
