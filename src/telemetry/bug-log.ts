import type { Logger } from "../base/log.ts";
import { methodName } from "../call/method.ts";
import type { ServerHooks } from "../server/hooks.ts";

/** Logs what handlers throw by mistake: their callers see "internal error" and no more, so somebody else has to know. */
export function bugLog(log: Logger): ServerHooks {
  return {
    callEnded({ method, bug, traceId }) {
      if (bug === undefined) return;
      log.error("a handler failed by mistake", { method: methodName(method), trace_id: traceId, error: bug });
    },
  };
}
