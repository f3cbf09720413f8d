import type { Clock } from "../../base/clock.ts";
import { codeOf } from "../../call/outcome.ts";
import type { MeshHooks } from "../hooks.ts";
import type { Step } from "./step.ts";

/** Tells the hooks of each call when it starts and how it ends. Outermost: the caller's view of the call. */
export function observe(hooks: MeshHooks, clock: Clock): Step {
  return (next) => (call) => {
    const startedAt = clock.now();
    hooks.callStarted?.(call.method);
    call.onEnd((reason) => {
      hooks.callEnded?.({ method: call.method, code: codeOf(reason, call), durationMs: clock.now() - startedAt });
    });
    return next(call);
  };
}
