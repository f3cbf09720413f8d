import { hashOf, hashOfBoth } from "./hash.ts";
import type { Balancer, Candidate, Picker } from "./picker.ts";

/** How many endpoints of a large fleet a client uses. */
export const defaultSubsetSize = 20;

/** Whose subset, and of how many. */
export interface SubsetOptions {
  /** Tells clients apart: each has its own subset, and the same one as long as its id stays. */
  readonly clientId: string;
  readonly size?: number;
}

/**
 * The balancer over a part of the candidates, so that a thousand clients of a thousand endpoints hold twenty
 * connections each and not a thousand. Where there are no more than `size` it sees them all.
 */
export function withSubset(balancer: Balancer, options: SubsetOptions): Balancer {
  return {
    picker<T extends Candidate>(candidates: readonly T[]): Picker<T> {
      return balancer.picker(subsetOf(candidates, options));
    },
  };
}

/**
 * The client's `size` of the candidates: those that score highest by a hash of both ids (rendezvous hashing).
 *
 * An endpoint that comes or goes moves one place in the subsets of those clients that gain or lose it, and none of
 * anybody else's: connections stay. Counts of clients per endpoint differ as chance has it, by about one over the root
 * of their mean. Google's deterministic subsetting spreads evenly, but needs clients that are numbered without gaps,
 * which ours are not, and moves most of the subsets when one endpoint goes.
 */
export function subsetOf<T extends Candidate>(candidates: readonly T[], options: SubsetOptions): readonly T[] {
  const { clientId, size = defaultSubsetSize } = options;
  if (candidates.length <= size) return candidates;
  const client = hashOf(clientId);
  const scored = candidates.map((candidate) => {
    return { candidate, score: hashOfBoth(client, hashOf(candidate.endpoint.id)) };
  });
  scored.sort((a, b) => b.score - a.score || (a.candidate.endpoint.id < b.candidate.endpoint.id ? -1 : 1));
  return scored.slice(0, size).map(({ candidate }) => candidate);
}
