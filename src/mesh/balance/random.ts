import type { Random } from "../../base/random.ts";
import { atLeastOne } from "./at-least-one.ts";
import type { Balancer, Candidate, Picker, Wish } from "./picker.ts";
import { ShareDice } from "./share-dice.ts";
import { untried } from "./tried.ts";

/** Any, each as likely as its share. */
export function randomly(random: Random): Balancer {
  return { picker: (candidates) => new RandomPicker(atLeastOne(candidates), random) };
}

class RandomPicker<T extends Candidate> implements Picker<T> {
  readonly #candidates: readonly T[];
  readonly #dice: ShareDice;

  constructor(candidates: readonly T[], random: Random) {
    this.#candidates = candidates;
    this.#dice = new ShareDice(candidates, random);
  }

  pick({ now, tried }: Wish): T {
    this.#dice.refresh(now);
    return this.#candidates[untried(this.#candidates, tried, this.#dice)] as T;
  }
}
