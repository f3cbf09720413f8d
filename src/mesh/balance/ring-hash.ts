import type { Random } from "../../base/random.ts";
import { atLeastOne } from "./at-least-one.ts";
import { Dice } from "./dice.ts";
import type { Balancer, Candidate, Picker, Wish } from "./picker.ts";
import { Ring } from "./ring.ts";
import { isTried } from "./tried.ts";

/** No candidate gets more of the attempts under way than this many times its even part. */
const bound = 1.25;

/** Attempts under way are summed up again after this part of the candidates has been picked: their sum is n reads. */
const staleRatio = 1 / 16;

/**
 * What has the same hash goes to the same endpoint, from all clients, until it has 1.25 times its part of the attempts
 * under way; what is too much for it goes on along the ring (consistent hashing with bounded loads,
 * https://arxiv.org/abs/1608.01350). The part goes by weight: shares that change would move calls between endpoints.
 * A wish without a hash goes anywhere.
 */
export function ringHash(random: Random): Balancer {
  let ring: Ring | undefined;
  return {
    picker(candidates) {
      const endpoints = atLeastOne(candidates).map(({ endpoint }) => endpoint);
      ring = new Ring(endpoints, ring);
      return new RingPicker(candidates, { ring, random });
    },
  };
}

class RingPicker<T extends Candidate> implements Picker<T> {
  readonly #candidates: readonly T[];
  readonly #dice: Dice;
  readonly #ring: Ring;
  /** Each one's part of the weights, times the bound. */
  readonly #parts: Float64Array;
  #inFlight = 0;
  #summedAt = Number.NaN;
  #picksSince = 0;

  constructor(candidates: readonly T[], { ring, random }: { readonly ring: Ring; readonly random: Random }) {
    this.#candidates = candidates;
    this.#dice = new Dice(random);
    this.#ring = ring;
    const weights = candidates.reduce((sum, { endpoint }) => sum + endpoint.weight, 0);
    this.#parts = Float64Array.from(candidates, ({ endpoint }) => (bound * endpoint.weight) / weights);
  }

  pick({ now, hash, tried }: Wish): T {
    const all = this.#sum(now) + 1;
    const start = this.#ring.at(hash === undefined ? this.#dice.throw() << 2 : hash | 0);
    let spare = -1;
    for (let step = 0; step < this.#ring.length; step++) {
      const index = this.#ring.owner((start + step) % this.#ring.length);
      if (isTried(this.#candidates, index, tried)) continue;
      if (this.#hasRoom(index, all)) return this.#candidates[index] as T;
      if (spare === -1) spare = index;
    }
    return this.#candidates[spare === -1 ? this.#ring.owner(start) : spare] as T;
  }

  #hasRoom(index: number, all: number): boolean {
    return (this.#candidates[index] as T).inFlight < Math.ceil((this.#parts[index] as number) * all);
  }

  /** Attempts under way at all candidates: as counted a moment ago, and all that were picked since. */
  #sum(now: number): number {
    if (now !== this.#summedAt || this.#picksSince >= this.#candidates.length * staleRatio) {
      this.#summedAt = now;
      this.#picksSince = 0;
      this.#inFlight = 0;
      for (let i = 0; i < this.#candidates.length; i++) this.#inFlight += (this.#candidates[i] as T).inFlight;
    }
    return this.#inFlight + this.#picksSince++;
  }
}
