import type { Candidate } from "./picker.ts";

/** Draws the index of a candidate. */
export interface Draws {
  draw(): number;
}

/** Draws that are taken back before the candidates are gone through in a row. */
const redraws = 8;

/**
 * The drawn index, or another where that one has been tried: drawn again rather than the next in line, since that one
 * would inherit all the repeats of a neighbour that fails. The first drawn if all have been tried.
 */
export function untried(candidates: readonly Candidate[], tried: readonly string[], dice: Draws): number {
  const first = dice.draw();
  if (!isTried(candidates, first, tried)) return first;
  for (let i = 0; i < redraws; i++) {
    const index = dice.draw();
    if (!isTried(candidates, index, tried)) return index;
  }
  return nextUntried(candidates, tried, first);
}

/** The first from `index` on, around the end, that has not been tried; `index` itself if all have been. */
export function nextUntried(candidates: readonly Candidate[], tried: readonly string[], index: number): number {
  if (tried.length === 0) return index;
  for (let step = 0; step < candidates.length; step++) {
    const next = (index + step) % candidates.length;
    if (!isTried(candidates, next, tried)) return next;
  }
  return index;
}

/** Whether the call has been to the candidate. */
export function isTried(candidates: readonly Candidate[], index: number, tried: readonly string[]): boolean {
  return tried.length > 0 && tried.includes((candidates[index] as Candidate).endpoint.id);
}
