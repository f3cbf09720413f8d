import type { Random } from "../../base/random.ts";
import { atLeastOne } from "./at-least-one.ts";
import type { Balancer, Candidate, Picker, Wish } from "./picker.ts";
import { nextUntried } from "./tried.ts";

/**
 * Each in turn, whatever its share: `weighted` is the same by shares. It begins anywhere, so that clients that start
 * together do not all begin with the same one, and goes on where it was when the candidates change.
 */
export function roundRobin(random: Random): Balancer {
  const turn: Turn = { next: Math.floor(random() * 2 ** 20) };
  return { picker: (candidates) => new RoundRobinPicker(atLeastOne(candidates), turn) };
}

/** Whose turn it is, over all snapshots of a balancer. */
interface Turn {
  next: number;
}

class RoundRobinPicker<T extends Candidate> implements Picker<T> {
  readonly #candidates: readonly T[];
  readonly #turn: Turn;

  constructor(candidates: readonly T[], turn: Turn) {
    this.#candidates = candidates;
    this.#turn = turn;
  }

  pick({ tried }: Wish): T {
    const index = nextUntried(this.#candidates, tried, this.#turn.next % this.#candidates.length);
    this.#turn.next = index + 1;
    return this.#candidates[index] as T;
  }
}
