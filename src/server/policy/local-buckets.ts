import { LRUCache } from "lru-cache";
import { type Draw, draw, type RateLimit } from "./token-bucket.ts";

/** Buckets for tokens, one for each key. */
export interface Buckets {
  /** Asks the bucket of the key for a token. Never rejects. */
  draw(key: string, limit: RateLimit): Draw | Promise<Draw>;
}

/** What keeping buckets needs. */
export interface LocalBucketsOptions {
  readonly now: () => number;
  /** Buckets that are remembered at once; beyond, those that were asked least recently are taken for full. Default 100,000. */
  readonly maxBuckets?: number;
}

/** How often those that are full are forgotten. */
const sweepMs = 10_000;

/**
 * Buckets in memory. However many callers there are it stays bounded: full buckets are forgotten in time, and where there
 * are still too many, those that nobody has asked for longest are. Who can call from that many addresses gets his burst anew.
 */
export class LocalBuckets implements Buckets {
  readonly #now: () => number;
  /** When each will be full. */
  readonly #fullAt: LRUCache<string, number>;
  #sweptAt: number;

  constructor({ now, maxBuckets = 100_000 }: LocalBucketsOptions) {
    this.#now = now;
    this.#fullAt = new LRUCache({ max: maxBuckets });
    this.#sweptAt = now();
  }

  /** How many are remembered. */
  get size(): number {
    return this.#fullAt.size;
  }

  draw(key: string, limit: RateLimit): Draw {
    const now = this.#now();
    const drawn = this.#look(key, limit, now);
    if (drawn.waitMs === 0) this.#fullAt.set(key, now + drawn.fullInMs);
    return drawn;
  }

  /** What `draw` would answer, with nothing taken. */
  look(key: string, limit: RateLimit): Draw {
    return this.#look(key, limit, this.#now());
  }

  /** Somebody who knows says how long the bucket takes to be full. It is never made fuller by that: what was said may be old. */
  note(key: string, fullInMs: number): void {
    const fullAt = this.#now() + fullInMs;
    if (fullAt > (this.#fullAt.peek(key) ?? 0)) this.#fullAt.set(key, fullAt);
  }

  #look(key: string, limit: RateLimit, now: number): Draw {
    if (Math.abs(now - this.#sweptAt) >= sweepMs) this.#sweep(now);
    return draw(limit, this.#fullAt.get(key), now);
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [key, fullAt] of this.#fullAt.entries()) if (fullAt <= now) this.#fullAt.delete(key);
  }
}
