import type { ServedCall } from "../../call/served-call.ts";

/**
 * One thing that is done with a call on its way in. It lets the call pass by returning, or by what it promises, and
 * refuses it by throwing. What it wants to know of the end it asks the call for: `onEnd`.
 *
 * Not an interceptor around the rest, which would cost every call a promise and a closure for each.
 */
export type Step = (call: ServedCall) => undefined | Promise<void>;

/**
 * A step at the door: it neither takes time nor looks at the message, which has arrived, but need not have been decoded.
 */
export type DoorStep = (call: ServedCall) => undefined;

/** The way in: at the door, and behind it. */
export interface WayIn {
  readonly door: readonly DoorStep[];
  readonly inside: readonly Step[];
}

/** Takes the call through the steps, one after the other; promises the end of it only where one of them takes its time. */
export function pass(steps: readonly Step[], call: ServedCall): Promise<void> | undefined {
  for (let i = 0; i < steps.length; i++) {
    const passing = (steps[i] as Step)(call);
    if (passing !== undefined) return passing.then(() => pass(steps.slice(i + 1), call));
  }
  return undefined;
}
