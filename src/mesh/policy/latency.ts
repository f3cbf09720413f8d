import { SlicedWindow } from "../../base/window.ts";
import type { BreakerRules } from "../../call/policy.ts";

/** Buckets are sixteenths of each doubling, from 1/16 ms to 131 s: their middles are off by 3.2 % at most. */
const bucketBits = 4;
const lowest = (127 - 4) << bucketBits;
const buckets = 21 << bucketBits;

/** A single-precision number and its bits: exponent and first digits of it are the number of its bucket. */
const asNumber = new Float32Array(1);
const asBits = new Uint32Array(asNumber.buffer);

const span = { slices: 10, sliceMs: 2_000 };
const minSamples = 20;
const minRecentSamples = 5;
const recentSlices = 2;

/** How long a computed quantile is good for. */
const cachedMs = 250;

/**
 * How long the calls of one method took over the last 20 s.
 *
 * Tell it of an attempt that was given up, too: what it took until then is less than the truth, but without it the
 * slowest would never be heard of.
 */
export class Latency extends SlicedWindow {
  /** The buckets of one slice after the other's; and those of all slices together. */
  readonly #counts = new Uint32Array(buckets * span.slices);
  readonly #totals = new Uint32Array(buckets);
  readonly #samples = new Uint32Array(span.slices);
  #total = 0;
  readonly #quantiles = new Map<number, number>();
  readonly #recent = new Map<number, number>();
  #cachedAt = 0;

  constructor() {
    super(span);
  }

  /** Takes in what one call took, in milliseconds, when it ended. */
  record(ms: number, now: number): void {
    const slot = this.slotAt(now);
    const bucket = bucketOf(ms);
    const at = slot * buckets + bucket;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#totals[bucket] = (this.#totals[bucket] ?? 0) + 1;
    this.#samples[slot] = (this.#samples[slot] ?? 0) + 1;
    this.#total++;
  }

  /** What the share `q` of the calls took at most, in milliseconds; `undefined` while fewer than 20 are known. */
  quantile(q: number, now: number): number | undefined {
    this.slotAt(now);
    if (this.#total < minSamples) return undefined;
    return this.#cached(this.#quantiles, q, now) ?? this.#keep(this.#quantiles, q, this.#ranked(q));
  }

  /** The same of the last 2 to 4 s alone, from 5 calls on: tells whether what was true of late still is. */
  recent(q: number, now: number): number | undefined {
    const newest = this.slotAt(now);
    const before = (newest + span.slices - 1) % span.slices;
    const samples = (this.#samples[newest] ?? 0) + (this.#samples[before] ?? 0);
    if (samples < minRecentSamples) return undefined;
    return this.#cached(this.#recent, q, now) ?? this.#keep(this.#recent, q, this.#rankedRecently(q, samples, newest));
  }

  protected override drop(slot: number): void {
    const samples = this.#samples[slot] ?? 0;
    if (samples === 0) return;
    const from = slot * buckets;
    for (let bucket = 0; bucket < buckets; bucket++) {
      this.#totals[bucket] = (this.#totals[bucket] ?? 0) - (this.#counts[from + bucket] ?? 0);
    }
    this.#counts.fill(0, from, from + buckets);
    this.#samples[slot] = 0;
    this.#total -= samples;
  }

  #cached(values: Map<number, number>, q: number, now: number): number | undefined {
    if (now >= this.#cachedAt && now < this.#cachedAt + cachedMs) return values.get(q);
    this.#quantiles.clear();
    this.#recent.clear();
    this.#cachedAt = now;
    return undefined;
  }

  #keep(values: Map<number, number>, q: number, value: number): number {
    values.set(q, value);
    return value;
  }

  #ranked(q: number): number {
    const rank = rankOf(q, this.#total);
    let bucket = 0;
    for (let below = this.#totals[0] ?? 0; below < rank && bucket < buckets - 1; ) {
      bucket++;
      below += this.#totals[bucket] ?? 0;
    }
    return middleOf(bucket);
  }

  #rankedRecently(q: number, samples: number, newest: number): number {
    const rank = rankOf(q, samples);
    let bucket = 0;
    for (let below = this.#recently(0, newest); below < rank && bucket < buckets - 1; ) {
      bucket++;
      below += this.#recently(bucket, newest);
    }
    return middleOf(bucket);
  }

  #recently(bucket: number, newest: number): number {
    let count = 0;
    for (let back = 0; back < recentSlices; back++) {
      const slot = (newest + span.slices - back) % span.slices;
      count += this.#counts[slot * buckets + bucket] ?? 0;
    }
    return count;
  }
}

/** Above how many milliseconds a call of the method is slow by the breaker's rules; `Infinity` while that is unknown. */
export function slowAboveMs(rules: BreakerRules, latency: Latency, now: number): number {
  if (rules.maxSlowRatio === undefined) return Number.POSITIVE_INFINITY;
  return rules.slowFactor * (latency.quantile(0.95, now) ?? Number.POSITIVE_INFINITY);
}

function bucketOf(ms: number): number {
  asNumber[0] = Math.max(ms, 0);
  const bucket = ((asBits[0] ?? 0) >>> (23 - bucketBits)) - lowest;
  if (bucket < 0) return 0;
  return bucket < buckets ? bucket : buckets - 1;
}

function middleOf(bucket: number): number {
  return (edgeOf(bucket) + edgeOf(bucket + 1)) / 2;
}

function edgeOf(bucket: number): number {
  asBits[0] = (bucket + lowest) << (23 - bucketBits);
  return asNumber[0] ?? 0;
}

function rankOf(q: number, samples: number): number {
  return Math.max(1, Math.ceil(q * samples));
}
