import type { Random } from "../../base/random.ts";
import { Dice } from "./dice.ts";
import type { Balancer, Candidate, Picker, Wish } from "./picker.ts";
import { ZoneShares } from "./zone-shares.ts";

/** Whose zone comes first. */
export interface ZoneFirstOptions {
  /** Where this client runs; "" if nobody said. */
  readonly zone: string;
  readonly random: Random;
}

/**
 * The balancer over the client's own zone, and over others only for what its own cannot carry: see `ZoneShares` for how
 * much that is. A repeat goes to any zone: what failed at home may fail there again, since zones fail as a whole.
 * Without a zone of its own, or with nobody in it or in any other, it is the balancer itself.
 */
export function zoneFirst(balancer: Balancer, { zone, random }: ZoneFirstOptions): Balancer {
  return {
    picker<T extends Candidate>(candidates: readonly T[]): Picker<T> {
      const zones = Map.groupBy(candidates, ({ endpoint }) => endpoint.zone);
      const home = zones.get(zone);
      if (zone === "" || home === undefined || zones.size === 1) return balancer.picker(candidates);
      zones.delete(zone);
      return new ZoneFirstPicker({ balancer, random, home, others: [...zones.values()], all: candidates });
    },
  };
}

/** A fleet by zones: the client's own, the others, and all of them together. */
interface Zoned<T extends Candidate> {
  readonly balancer: Balancer;
  readonly random: Random;
  readonly home: readonly T[];
  readonly others: readonly (readonly T[])[];
  readonly all: readonly T[];
}

class ZoneFirstPicker<T extends Candidate> implements Picker<T> {
  readonly #zoned: Zoned<T>;
  readonly #dice: Dice;
  readonly #shares: ZoneShares;
  readonly #home: Picker<T>;
  /** Made when first called for: most calls stay at home, and subsets then hold no connection elsewhere. */
  readonly #others: (Picker<T> | undefined)[];
  #anywhere: Picker<T> | undefined;

  constructor(zoned: Zoned<T>) {
    this.#zoned = zoned;
    this.#dice = new Dice(zoned.random);
    this.#shares = new ZoneShares(zoned.home, zoned.others);
    this.#home = zoned.balancer.picker(zoned.home);
    this.#others = zoned.others.map(() => undefined);
  }

  pick(wish: Wish): T {
    if (wish.tried.length > 0) {
      this.#anywhere ??= this.#zoned.balancer.picker(this.#zoned.all);
      return this.#anywhere.pick(wish);
    }
    this.#shares.refresh(wish.now);
    const other = this.#shares.draw(this.#dice.throw());
    return (other === -1 ? this.#home : this.#other(other)).pick(wish);
  }

  #other(index: number): Picker<T> {
    const made = this.#others[index] ?? this.#zoned.balancer.picker(this.#zoned.others[index] as readonly T[]);
    this.#others[index] = made;
    return made;
  }
}
