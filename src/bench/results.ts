import type { Round } from "./rig.ts";
import type { ScenarioName } from "./scenarios.ts";

/** A figure over all rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Where a figure comes from: whose, of which scenario, at how many in flight. */
export interface Place {
  readonly scenario: ScenarioName;
  readonly inFlight: number;
  readonly peer: string;
}

/** What was measured, round by round. */
export class Results {
  readonly #rounds = new Map<string, Round[]>();

  add(place: Place, round: Round): void {
    this.#rounds.set(keyOf(place), [...this.of(place), round]);
  }

  /** The rounds of a place, in their order; none if it was not measured. */
  of(place: Place): readonly Round[] {
    return this.#rounds.get(keyOf(place)) ?? [];
  }

  /** A figure of one place. */
  figure(place: Place, figure: (round: Round) => number): Spread | undefined {
    return spread(this.of(place).map(figure));
  }

  /** What a figure of one place has become since its first round, as a multiple of that, in each later one. */
  growth(place: Place, figure: (round: Round) => number): Spread | undefined {
    const [first, ...later] = this.of(place).map(figure);
    return first === undefined ? undefined : spread(later.map((value) => value / first));
  }

  /**
   * A figure of two places, round by round: the machine may be twice as slow a minute later, but it was the same for
   * both a second ago.
   */
  compare(one: Place, other: Place, figure: (one: Round, other: Round) => number): Spread | undefined {
    const others = this.of(other);
    return spread(this.of(one).flatMap((round, i) => (others[i] === undefined ? [] : [figure(round, others[i])])));
  }
}

function keyOf({ scenario, inFlight, peer }: Place): string {
  return `${scenario} ${inFlight} ${peer}`;
}

/** A figure's median, with the lowest and the highest; `undefined` of none. */
export function spread(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  return median === undefined ? undefined : { median, min: sorted[0] ?? median, max: sorted.at(-1) ?? median };
}

/** It as pages show it: "2.03 [1.98..2.12]". */
export function ranged({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} [${min.toFixed(digits)}..${max.toFixed(digits)}]`;
}
