import type { Lifetime } from "../../base/lifetime.ts";
import type { Step } from "./step.ts";

/**
 * Sees to it that every call ends some time. A call with a deadline is ended by its owner when that passes; a stream
 * without one is endless, and ends when the server drains.
 */
export function deadline(draining: Lifetime): Step {
  return (call) => {
    if (call.isStream && call.deadlineAt === undefined) call.follow(draining);
  };
}
