import type { Candidate } from "./picker.ts";

/** Shares are asked for again after this long: slow start moves 3 % of a share in it, load reports come no faster. */
const freshMs = 1_000;

/** What candidates' shares are against each other, read anew once a second. */
export class Shares {
  /** Each one's share over the mean of all: 1 where shares are even. */
  readonly relative: Float64Array;
  readonly #candidates: readonly Candidate[];
  #areEven = true;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(candidates: readonly Candidate[]) {
    this.#candidates = candidates;
    this.relative = new Float64Array(candidates.length).fill(1);
  }

  /** Whether all have the same. */
  get areEven(): boolean {
    return this.#areEven;
  }

  /** Reads the shares, if it is time to, and tells whether it did. Before anything is asked, and before each pick. */
  refresh(now: number): boolean {
    const ageMs = now - this.#readAt;
    if (ageMs >= 0 && ageMs < freshMs) return false;
    this.#readAt = now;
    this.#read(now);
    return true;
  }

  #read(now: number): void {
    const { relative } = this;
    let sum = 0;
    for (let i = 0; i < relative.length; i++) {
      relative[i] = (this.#candidates[i] as Candidate).share(now);
      sum += relative[i] as number;
    }
    this.#areEven = relative.every((share) => share === relative[0]);
    if (this.#areEven) relative.fill(1);
    else for (let i = 0; i < relative.length; i++) (relative[i] as number) *= relative.length / sum;
  }
}
