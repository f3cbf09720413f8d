import { type Random, systemRandom } from "../../base/random.ts";
import type { Balancer, Candidate } from "./picker.ts";

/** Balancers by name, as contracts and options call them. */
export type BalancerName = "round-robin" | "random" | "least-request";

/** A new balancer; each channel has its own. */
export function createBalancer(name: BalancerName, random: Random = systemRandom): Balancer {
  switch (name) {
    case "round-robin":
      return roundRobin(random);
    case "random":
      return (candidates) => at(candidates, Math.floor(random() * candidates.length));
    case "least-request":
      return leastRequest(random);
  }
}

/** Each in turn. Begins anywhere, so that many clients that start together do not all begin with the same one. */
function roundRobin(random: Random): Balancer {
  let turn = Math.floor(random() * 1_000);
  return (candidates) => at(candidates, turn++ % candidates.length);
}

/** The one with the fewest attempts under way; among equals any, so that an idle fleet is used evenly. */
function leastRequest(random: Random): Balancer {
  return (candidates) => {
    const fewest = Math.min(...candidates.map(({ inFlight }) => inFlight));
    const idlest = candidates.filter(({ inFlight }) => inFlight === fewest);
    return at(idlest, Math.floor(random() * idlest.length));
  };
}

function at<T extends Candidate>(candidates: readonly T[], index: number): T {
  const candidate = candidates[index];
  if (candidate === undefined) throw new RangeError("a balancer was asked to choose among no candidates");
  return candidate;
}
