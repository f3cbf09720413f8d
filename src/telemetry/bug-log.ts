import type { Logger } from "../base/log.ts";
import { methodName } from "../call/method.ts";
import type { ServerHooks } from "../server/hooks.ts";

/** Logs what handlers throw by mistake: their callers see "internal error" and no more, so somebody else has to know. */
export function bugLog(log: Logger): ServerHooks {
  return {
    callEnded({ method, bug, traceId, requestId }) {
      if (bug === undefined) return;
      const ids = { trace_id: traceId, request_id: requestId };
      log.error("a handler failed by mistake", { method: methodName(method), ...ids, error: bug });
    },
  };
}
