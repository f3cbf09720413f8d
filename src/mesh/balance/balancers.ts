import { type Random, systemRandom } from "../../base/random.ts";
import { leastRequest } from "./least-request.ts";
import { peakEwma } from "./peak-ewma.ts";
import type { Balancer } from "./picker.ts";
import { randomly } from "./random.ts";
import { roundRobin } from "./round-robin.ts";

/** Balancers by name, as contracts and options call them. */
export const balancerNames = ["peak-ewma", "least-request", "round-robin", "random"] as const;

/** One of the balancers' names. */
export type BalancerName = (typeof balancerNames)[number];

/** What a balancer may go by, beside its candidates. */
export interface BalancerOptions {
  readonly random?: Random;
}

/** A new balancer; each channel has its own. */
export function createBalancer(name: BalancerName, options: BalancerOptions = {}): Balancer {
  const { random = systemRandom } = options;
  switch (name) {
    case "peak-ewma":
      return peakEwma(random);
    case "least-request":
      return leastRequest(random);
    case "round-robin":
      return roundRobin(random);
    case "random":
      return randomly(random);
  }
}
