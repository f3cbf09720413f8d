import type { Random } from "../../base/random.ts";

/** How long a piece of what is sent is on its way, in milliseconds: one throw of the dice for each. */
export type Latency = (random: Random) => number;

/** Always the same. */
export const fixed =
  (ms: number): Latency =>
  () =>
    ms;

/** Anywhere between the two. */
export const uniform =
  (lowMs: number, highMs: number): Latency =>
  (random) =>
    lowMs + random() * (highMs - lowMs);

/**
 * Mostly near the median, and now and then far above it, as networks are: a log-normal. With the default spread one in a
 * hundred takes about three times the median; with 1, ten times.
 */
export function longTailed(medianMs: number, spread = 0.5): Latency {
  return (random) => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return medianMs * Math.exp(spread * normal);
  };
}
