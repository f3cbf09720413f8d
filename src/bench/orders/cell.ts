import { ranged, spread } from "../results.ts";

/** What the rounds came to, as a table shows it; empty where nothing was measured. */
export function cell(values: readonly number[], digits = 0): string {
  const over = spread(values);
  return over === undefined ? "" : ranged(over, digits);
}
