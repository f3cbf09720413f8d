/** Classes of calls, those refused first in front: by criticality, and within one, attempts after the first. */
export const classCount = 6;

/**
 * Chooses which calls to refuse where a share of all has to be: whole classes from the first one on, and of the class
 * in which the share ends as many as are left of it, evenly. It goes by how many calls of each class have come of late.
 */
export class Triage {
  /** Calls that came, by class; older ones count less and less. */
  readonly #arrived = new Float64Array(classCount);
  /** Classes below are refused; of this one, a share. */
  #cut = 0;
  #cutRatio = 0;
  /** Adds up to one for each call of the cut class to refuse: no dice, and no streaks. */
  #owed = 0;

  /** Refuses from now on this share of all calls. */
  refuse(share: number): void {
    const arrived = this.#arrived;
    let total = 0;
    for (let i = 0; i < classCount; i++) total += arrived[i] as number;
    let left = share * total;
    let cut = 0;
    while (cut < classCount - 1 && left >= (arrived[cut] as number)) left -= arrived[cut++] as number;
    const inCut = arrived[cut] as number;
    this.#cut = share <= 0 ? 0 : cut;
    this.#cutRatio = share <= 0 || inCut === 0 ? 0 : Math.min(1, left / inCut);
    for (let i = 0; i < classCount; i++) arrived[i] = (arrived[i] as number) * fading;
  }

  /** Counts a call of the class, and says whether to refuse it. */
  refuses(callClass: number): boolean {
    this.#arrived[callClass] = (this.#arrived[callClass] as number) + 1;
    if (callClass !== this.#cut) return callClass < this.#cut;
    this.#owed += this.#cutRatio;
    if (this.#owed < 1) return false;
    this.#owed -= 1;
    return true;
  }
}

/** What is left of a count after each change of the share: most of it is gone after a second. */
const fading = 0.8;
