import type { Clock } from "../../base/clock.ts";
import type { Deadlines } from "../../base/deadlines.ts";
import { Lifetime } from "../../base/lifetime.ts";
import { type CurrentCall, currentCall } from "../../call/context.ts";
import type { OutgoingCall } from "../../call/outgoing-call.ts";
import { methodPolicy } from "../../call/policy.ts";
import type { Step } from "./step.ts";

/**
 * Gives the call its one deadline: the caller's or the contract's, never later than that of the call on whose behalf
 * it is made. It ends with that call, too.
 *
 * Outside of `retry`, so that all attempts share it.
 */
export function deadline(clock: Clock, deadlines: Deadlines): Step {
  return (next) => (call) => {
    const parent = currentCall();
    const now = clock.now();
    const timeoutMs = call.timeoutMs ?? methodPolicy(call.method).timeoutMs;
    const own = timeoutMs === undefined ? Number.POSITIVE_INFINITY : now + timeoutMs;
    const deadlineAt = Math.min(own, parent?.deadlineAt ?? Number.POSITIVE_INFINITY);
    call.allowedMs = deadlineAt - now;
    if (call.allowedMs <= 0) throw call.late();
    if (deadlineAt !== Number.POSITIVE_INFINITY) {
      call.endBy(deadlineAt, deadlines);
    }
    if (parent !== undefined) endWith(call, parent);
    if (call.aborted) throw call.reason;
    return next(call);
  };
}

function endWith(call: OutgoingCall, parent: CurrentCall): void {
  if (parent instanceof Lifetime) call.follow(parent);
  else if (parent.signal !== undefined) call.heed(parent.signal);
}
