import { ConnectError } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import { codeOf } from "../../call/outcome.ts";
import { traceIdOf } from "../../call/traceparent.ts";
import type { ServerHooks } from "../hooks.ts";
import type { ServerLoad } from "../load.ts";
import { isOverloaded } from "../overloaded.ts";
import { isRateLimited } from "./rate-limit.ts";
import type { DoorStep } from "./step.ts";

/** Tells the hooks of each call when it starts and how it ends, and counts it among the load. First, so that what other steps refuse counts too. */
export function observe(hooks: ServerHooks, clock: Clock, load?: ServerLoad): DoorStep {
  return (call) => {
    hooks.callStarted?.(call.method);
    call.onEnd((reason) => {
      const code = codeOf(reason, call);
      load?.ended(code);
      const isBug = reason !== undefined && !(reason instanceof ConnectError) && !call.aborted;
      const requestId = isBug ? call.requestField("x-request-id") : undefined;
      const bug = isBug ? { bug: reason, traceId: traceIdOf(call.traceparent), requestId } : {};
      const refused = isOverloaded(reason) ? { shed: true } : isRateLimited(reason) ? { rateLimited: true } : {};
      hooks.callEnded?.({ method: call.method, code, durationMs: clock.now() - call.arrivedAt, ...bug, ...refused });
    });
  };
}
