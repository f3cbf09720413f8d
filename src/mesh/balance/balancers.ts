import { type Random, systemRandom } from "../../base/random.ts";
import { leastRequest } from "./least-request.ts";
import { peakEwma } from "./peak-ewma.ts";
import type { Balancer } from "./picker.ts";
import { randomly } from "./random.ts";
import { ringHash } from "./ring-hash.ts";
import { roundRobin } from "./round-robin.ts";
import { type SubsetOptions, withSubset } from "./subset.ts";
import { weighted } from "./weighted.ts";
import { zoneFirst } from "./zone-first.ts";

/** Makers of balancers by name. */
const makers = {
  "peak-ewma": peakEwma,
  "least-request": leastRequest,
  "round-robin": roundRobin,
  random: randomly,
  weighted,
  "ring-hash": ringHash,
} as const satisfies Record<string, (random: Random) => Balancer>;

/** Balancers by name, as contracts and options call them. */
export type BalancerName = keyof typeof makers;

/** All of the names. */
export const balancerNames = Object.keys(makers) as readonly BalancerName[];

/** What a balancer may go by, beside its candidates. */
export interface BalancerOptions {
  readonly random?: Random;
  /** Where this client runs: endpoints there come first, for as much as they can carry. */
  readonly zone?: string;
  /** Uses a part of a large fleet only: of each zone, where zones count. */
  readonly subset?: SubsetOptions;
}

/**
 * A new balancer; each channel has its own. Ring hash heeds neither zone nor subset: what has the same hash would go to
 * other endpoints from other clients.
 */
export function createBalancer(name: BalancerName, options: BalancerOptions = {}): Balancer {
  const { random = systemRandom, zone = "", subset } = options;
  const made = makers[name](random);
  if (name === "ring-hash") return made;
  const part = subset === undefined ? made : withSubset(made, subset);
  return zone === "" ? part : zoneFirst(part, { zone, random });
}
