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
 * they are, unless the greatest weight of all moves past a power of two. So a ring is made of the one before it where
 * there is one: a thousand endpoints are 100,000 points, and sorting them takes 10 ms.
 */
export class Ring {
  readonly #endpoints: readonly Endpoint[];
  readonly #perWeight: number;
  readonly #points: Float64Array;

  constructor(endpoints: readonly Endpoint[], before?: Ring) {
    const heaviest = endpoints.reduce((most, { weight }) => Math.max(most, weight), 1);
    this.#endpoints = endpoints;
    this.#perWeight = mostPoints / 2 ** Math.ceil(Math.log2(heaviest));
    const fresh = new Map(endpoints.map((endpoint, index) => [endpoint.id, index]));
    const isLike = before !== undefined && before.#perWeight === this.#perWeight;
    const kept = isLike ? before.#stay(endpoints, fresh) : new Float64Array(0);
    this.#points = merged(kept, this.#pointsOf([...fresh.values()]));
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
    const both = this.#points[point] as number;
    return both - Math.floor(both / slots) * slots; // as % does, which is slow on numbers this great
  }

  /** The points of those that are among `endpoints` still, under their new indices; takes them out of `fresh`. */
  #stay(endpoints: readonly Endpoint[], fresh: Map<string, number>): Float64Array {
    const moved = Int32Array.from(this.#endpoints, ({ id, weight }) => {
      const index = fresh.get(id);
      if (index === undefined || endpoints[index]?.weight !== weight) return -1;
      fresh.delete(id);
      return index;
    });
    const points = new Float64Array(this.#points.length);
    let count = 0;
    for (let point = 0; point < this.#points.length; point++) {
      const owner = this.owner(point);
      const index = moved[owner] as number;
      if (index !== -1) points[count++] = (this.#points[point] as number) - owner + index;
    }
    return points.subarray(0, count);
  }

  /** The points of the endpoints at these indices, in order. */
  #pointsOf(indices: readonly number[]): Float64Array {
    const points: number[] = [];
    for (const index of indices) {
      const { id, weight } = this.#endpoints[index] as Endpoint;
      const hash = hashOf(id);
      const count = Math.max(1, Math.round(weight * this.#perWeight));
      for (let nth = 0; nth < count; nth++) points.push((hashOfBoth(hash, nth) >>> 0) * slots + index);
    }
    return Float64Array.from(points).sort();
  }
}

/** Two rows of sorted numbers as one. */
function merged(one: Float64Array, other: Float64Array): Float64Array {
  if (one.length === 0) return other;
  const all = new Float64Array(one.length + other.length);
  let i = 0;
  let j = 0;
  for (let k = 0; k < all.length; k++) {
    const takesOne = j === other.length || (i < one.length && (one[i] as number) < (other[j] as number));
    all[k] = (takesOne ? one[i++] : other[j++]) as number;
  }
  return all;
}
