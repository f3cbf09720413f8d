import type { Random } from "../../base/random.ts";
import type { Candidate, Picker, Wish } from "./picker.ts";
import { ShareDice } from "./share-dice.ts";
import { nextUntried, untried } from "./tried.ts";

/** How unwelcome one more attempt at a candidate is, its `inFlight + 1` counted in. A whole number above 0. */
export type Measure = (candidate: Candidate, now: number) => number;

/**
 * The better of two that were drawn by their shares. It takes the same time among a thousand as among three, and many
 * clients that know the same do not all run to the same endpoint.
 *
 * Where both draws name one, another challenges it, and must be better even measured by the share: among few, a
 * newcomer with a tenth of a share would otherwise be half of every pair, and one with most of the shares never be
 * compared. Among even shares this is a draw of two different ones.
 */
export class TwoChoices<T extends Candidate> implements Picker<T> {
  readonly #candidates: readonly T[];
  readonly #measure: Measure;
  readonly #dice: ShareDice;

  constructor(candidates: readonly T[], measure: Measure, random: Random) {
    this.#candidates = candidates;
    this.#measure = measure;
    this.#dice = new ShareDice(candidates, random);
  }

  pick({ now, tried }: Wish): T {
    const candidates = this.#candidates;
    if (candidates.length === 1) return candidates[0] as T;
    this.#dice.refresh(now);
    const one = untried(candidates, tried, this.#dice);
    const two = untried(candidates, tried, this.#dice);
    if (one !== two) return candidates[this.#isBetter(two, one, now) ? two : one] as T;
    const other = nextUntried(candidates, tried, this.#dice.drawOther(one));
    return candidates[this.#isMuchBetter(other, one, now) ? other : one] as T;
  }

  #isBetter(one: number, other: number, now: number): boolean {
    const { areEven, relative } = this.#dice.shares;
    const a = this.#candidates[one] as T;
    const b = this.#candidates[other] as T;
    const costA = this.#measure(a, now);
    const costB = this.#measure(b, now);
    if (areEven) return costA < costB;
    return (
      costA * crowding(a.inFlight, relative[one] as number) < costB * crowding(b.inFlight, relative[other] as number)
    );
  }

  #isMuchBetter(one: number, other: number, now: number): boolean {
    const { areEven, relative } = this.#dice.shares;
    if (areEven) return this.#isBetter(one, other, now);
    const a = this.#candidates[one] as T;
    const b = this.#candidates[other] as T;
    const shareA = relative[one] as number;
    const shareB = relative[other] as number;
    const costA = this.#measure(a, now) * crowding(a.inFlight, shareA);
    return costA / shareA < (this.#measure(b, now) * crowding(b.inFlight, shareB)) / shareB;
  }
}

/** What makes attempts under way count by the share: who has twice the share may have twice as many. */
function crowding(inFlight: number, relative: number): number {
  return (inFlight / relative + 1) / (inFlight + 1);
}
