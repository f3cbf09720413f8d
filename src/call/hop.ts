import type { Fields } from "./fields.ts";
import { headers } from "./headers.ts";

/** Counts in headers: an int, and short enough that no sum of them is none. */
const count = /^\d{1,9}$/;

/** Which attempt a request is, counted from 1, by its header of attempts before (gRFC A6). The first, if that is malformed. */
export function attemptTold(previousAttempts: string | undefined): number {
  return 1 + countTold(previousAttempts);
}

/**
 * How many hops above a served call, its own included, are attempts after the first. At least one where it is such an
 * attempt itself: callers that are not ours tell of their attempts and not of the depth.
 */
export function retryDepthTold(header: string | undefined, attempt: number): number {
  return Math.max(countTold(header), attempt > 1 ? 1 : 0);
}

/**
 * The fields of one attempt of a call: `fields`, how many attempts came before, and the retry depth. `attempt` is counted
 * from 1, hedges among them; `retryDepth` is that of the call on whose behalf it is made, 0 without one. The same list
 * for a first attempt on nobody's second try, which is what nearly every attempt is.
 */
export function hopFields(fields: Fields, attempt: number, retryDepth: number): Fields {
  if (attempt === 1) return retryDepth === 0 ? fields : [...fields, headers.retryDepth, String(retryDepth)];
  const depth = String(retryDepth + 1);
  return [...fields, headers.previousAttempts, String(attempt - 1), headers.retryDepth, depth];
}

function countTold(value: string | undefined): number {
  return value !== undefined && count.test(value) ? Number(value) : 0;
}
