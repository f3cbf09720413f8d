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
  /** What each of the others has over its part. */
  readonly #surplus: Float64Array;
  #surpluses = 0;
  #homeRatio = 1;
  #madeAt = Number.NEGATIVE_INFINITY;

  constructor(home: readonly Candidate[], others: readonly (readonly Candidate[])[]) {
    this.#home = home;
    this.#others = others;
    this.#surplus = new Float64Array(others.length);
  }

  /** Takes in what the shares are now, if it is time to. Before the first draw, and before each. */
  refresh(now: number): void {
    const ageMs = now - this.#madeAt;
    if (ageMs >= 0 && ageMs < freshMs) return;
    this.#madeAt = now;
    const home = sumOf(this.#home, now);
    const sums = this.#others.map((zone) => sumOf(zone, now));
    const part = sums.reduce((sum, share) => sum + share, home) / (sums.length + 1);
    this.#homeRatio = home / part;
    this.#surpluses = 0;
    for (const [zone, sum] of sums.entries()) {
      const surplus = Math.max(0, sum - part);
      this.#surplus[zone] = surplus;
      this.#surpluses += surplus;
    }
  }

  /** Whether the own zone carries all that its callers ask. */
  get carriesAll(): boolean {
    return this.#homeRatio >= 1;
  }

  /** Where an attempt goes, by dice from 0 up to 1: the index of another zone, or -1 for the own. */
  draw(dice: number): number {
    if (dice < this.#homeRatio) return -1;
    let left = ((dice - this.#homeRatio) / (1 - this.#homeRatio)) * this.#surpluses;
    let last = -1;
    for (let zone = 0; zone < this.#surplus.length; zone++) {
      const surplus = this.#surplus[zone] as number;
      if (surplus === 0) continue;
      last = zone;
      left -= surplus;
      if (left < 0) return zone;
    }
    return last;
  }
}

function sumOf(zone: readonly Candidate[], now: number): number {
  return zone.reduce((sum, candidate) => sum + candidate.share(now), 0);
}
