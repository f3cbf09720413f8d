import { diceEnd } from "./dice.ts";
import type { Candidate } from "./picker.ts";

/** Shares are summed up again after this long. */
const freshMs = 1_000;

/**
 * What part of its callers' attempts a zone carries itself, and where the rest goes.
 *
 * Nobody tells a client how many callers other zones have, so they are taken to be spread evenly over the zones that
 * have endpoints: of three zones each should carry a third. A zone whose endpoints hold at least that much of all
 * shares keeps all; one that holds half of its third, because it is small or because half of it is ejected or starting
 * slowly, keeps half, and the rest spills over to zones that hold more than their part, in proportion to how much
 * more. If all callers do so, each endpoint gets the same for its share. Where callers are not spread evenly, the zone
 * with more of them is busier than it need be, up to how uneven they are: weights can say so.
 */
export class ZoneShares {
  readonly #home: readonly Candidate[];
  readonly #others: readonly (readonly Candidate[])[];
  /** Up to where the dice mean the own zone, and each of the others in turn. */
  readonly #ends: Int32Array;
  #madeAt = Number.NEGATIVE_INFINITY;

  constructor(home: readonly Candidate[], others: readonly (readonly Candidate[])[]) {
    this.#home = home;
    this.#others = others;
    this.#ends = new Int32Array(others.length + 1);
  }

  /** Takes in what the shares are now, if it is time to. Before the first draw, and before each. */
  refresh(now: number): void {
    const ageMs = now - this.#madeAt;
    if (ageMs >= 0 && ageMs < freshMs) return;
    this.#madeAt = now;
    this.#measure(now);
  }

  /** Where an attempt goes, by a throw of the dice: the index of another zone, or -1 for the own. */
  draw(thrown: number): number {
    for (let zone = 0; zone < this.#ends.length; zone++) if (thrown < (this.#ends[zone] as number)) return zone - 1;
    return -1;
  }

  #measure(now: number): void {
    const home = sumOf(this.#home, now);
    const sums = this.#others.map((zone) => sumOf(zone, now));
    const part = sums.reduce((sum, share) => sum + share, home) / (sums.length + 1);
    const surpluses = sums.map((sum) => Math.max(0, sum - part));
    const surplus = surpluses.reduce((sum, one) => sum + one, 0);
    let end = Math.min(1, home / part);
    const perSurplus = surplus === 0 ? 0 : (1 - end) / surplus;
    this.#ends[0] = Math.round(end * diceEnd);
    for (const [zone, one] of surpluses.entries()) {
      end += one * perSurplus;
      this.#ends[zone + 1] = Math.round(end * diceEnd);
    }
  }
}

function sumOf(zone: readonly Candidate[], now: number): number {
  return zone.reduce((sum, candidate) => sum + candidate.share(now), 0);
}
