import type { DescMethod } from "@bufbuild/protobuf";
import { methodPolicy } from "./policy.ts";

/** How much it matters that a call is answered: an overloaded server refuses what matters least first. */
export type Criticality = "sheddable" | "normal" | "critical";

const ranks: Readonly<Record<Criticality, number>> = { sheddable: 0, normal: 1, critical: 2 };

/** How it compares with others: 0, the first to be refused, to 2. */
export function criticalityRank(criticality: Criticality): number {
  return ranks[criticality];
}

/** The lower of two. */
export function lowerCriticality(one: Criticality, other: Criticality): Criticality {
  return ranks[one] <= ranks[other] ? one : other;
}

/** The criticality that a header names, or `undefined` if it names none. */
export function parseCriticality(value: string | undefined): Criticality | undefined {
  return value === "sheddable" || value === "normal" || value === "critical" ? value : undefined;
}

/**
 * The criticality of a call that has arrived: what its header says, never above what its contract says, and the
 * contract's where the header says nothing. A caller, who may be anybody, can only lower it: could one raise it, all
 * would.
 */
export function criticalityTold(header: string | undefined, method: DescMethod): Criticality {
  const { criticality } = methodPolicy(method);
  const told = parseCriticality(header);
  return told === undefined ? criticality : lowerCriticality(told, criticality);
}

/**
 * What to tell of a call that is made on behalf of one with the criticality `inherited`; `undefined`, nothing, for its
 * contract says the same. It is the lower of the two: nobody waits for what is done for a prefetch, so none of it
 * matters more than the prefetch; and what its own contract calls sheddable, even a critical call can do without.
 */
export function criticalityToTell(inherited: Criticality | undefined, method: DescMethod): Criticality | undefined {
  if (inherited === undefined) return undefined;
  return ranks[inherited] < ranks[methodPolicy(method).criticality] ? inherited : undefined;
}
