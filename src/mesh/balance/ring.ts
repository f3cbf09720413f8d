import type { Endpoint } from "../resolve/resolver.ts";
import { hashOf, hashOfBoth } from "./hash.ts";

/** Points on the ring of an endpoint of the greatest weight: about that many, shares are even to a tenth. */
const mostPoints = 128;

/** Above any number of endpoints: a point and whose it is share one exact number, so that sorting is sorting numbers. */
const slots = 2 ** 20;

/**
 * Endpoints on a circle of 32 bits, each at many points: more for more weight, at least one. All clients see the same
 * ring, for it is made of ids and weights alone; an endpoint that leaves moves only what was its own.
 *
 * Weights count against the power of two above the greatest: endpoints that come and go leave the others' points where
 * they are, unless the greatest weight of all moves past a power of two.
 */
export class Ring {
  readonly #points: Float64Array;

  constructor(endpoints: readonly Endpoint[]) {
    const heaviest = endpoints.reduce((most, { weight }) => Math.max(most, weight), 1);
    const perWeight = mostPoints / 2 ** Math.ceil(Math.log2(heaviest));
    const counts = endpoints.map(({ weight }) => Math.max(1, Math.round(weight * perWeight)));
    this.#points = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
    let filled = 0;
    for (const [index, { id }] of endpoints.entries()) {
      const hash = hashOf(id);
      const end = filled + (counts[index] as number);
      for (let nth = 0; filled < end; nth++) this.#points[filled++] = (hashOfBoth(hash, nth) >>> 0) * slots + index;
    }
    this.#points.sort();
  }

  /** How many points there are. */
  get length(): number {
    return this.#points.length;
  }

  /** Number of the first point at or after the hash, of 32 bits whatever their sign, around the end. */
  at(hash: number): number {
    const wanted = (hash >>> 0) * slots;
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#points[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low === this.#points.length ? 0 : low;
  }

  /** Index of the endpoint whose point this is. */
  owner(point: number): number {
    return (this.#points[point] as number) % slots;
  }
}
