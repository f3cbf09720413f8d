import type { Clock } from "../../base/clock.ts";
import type { Deadlines, Due } from "../../base/deadlines.ts";
import { Lifetime } from "../../base/lifetime.ts";
import { deadlineExceeded } from "../../call/errors.ts";
import { methodName } from "../../call/method.ts";
import type { OutgoingCall } from "../../call/outgoing-call.ts";
import { methodPolicy } from "../../call/policy.ts";
import type { Step } from "./step.ts";

/**
 * Says how long this attempt has, so that the server is told, and ends the attempt when that has passed.
 *
 * Inside of `retry`: what is left is less for each attempt.
 */
export function timeLeft(clock: Clock, deadlines: Deadlines): Step {
  return (next) => (call) => {
    call.attemptLifetime = call;
    call.attemptMs = undefined;
    if (call.deadlineAt === undefined) return next(call);
    const now = clock.now();
    const callLeftMs = call.deadlineAt - now;
    const ownMs = call.isStream ? undefined : methodPolicy(call.method).retry.perAttemptTimeoutMs;
    call.attemptMs = Math.min(ownMs ?? callLeftMs, callLeftMs);
    if (ownMs === undefined || ownMs >= callLeftMs) return next(call);

    const attempt = new AttemptTime(call, ownMs);
    call.attemptLifetime = attempt;
    return within(attempt, deadlines, now + ownMs, () => next(call));
  };
}

async function within<R>(
  attempt: AttemptTime,
  deadlines: Deadlines,
  endsAt: number,
  send: () => Promise<R>,
): Promise<R> {
  deadlines.add(endsAt, attempt);
  attempt.call.onCancel(attempt);
  try {
    return await send();
  } finally {
    deadlines.remove(endsAt, attempt);
    attempt.call.offCancel(attempt);
  }
}

/** The time of one attempt, where that is less than its call's. */
class AttemptTime extends Lifetime implements Due {
  readonly call: OutgoingCall;
  readonly #ms: number;

  constructor(call: OutgoingCall, ms: number) {
    super();
    this.call = call;
    this.#ms = ms;
  }

  expire(): void {
    const { attempt, method } = this.call;
    this.cancel(deadlineExceeded(`attempt ${attempt} of ${methodName(method)} took more than ${this.#ms} ms`));
  }
}
