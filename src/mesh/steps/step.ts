import type { Perform } from "../../wire/grpc/call-transport.ts";

/** One thing that is done with a call on its way out, around all that comes after it. */
export type Step = (next: Perform) => Perform;

/** The steps around `last`, the first one outermost. */
export function chain(steps: readonly Step[], last: Perform): Perform {
  return steps.reduceRight((next, step) => step(next), last);
}
