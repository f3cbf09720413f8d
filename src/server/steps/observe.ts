import { ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import { ended } from "../../call/ended.ts";
import { codeOf } from "../../call/outcome.ts";
import type { ServerHooks } from "../hooks.ts";

/** Tells the hooks of each call when it starts and how it ends. Outermost, so that what other steps refuse counts too. */
export function observe(hooks: ServerHooks, clock: Clock): Interceptor {
  return (next) => async (req) => {
    const startedAt = clock.now();
    hooks.callStarted?.(req.method);
    return ended(next(req), req.signal, (reason) => {
      const code = codeOf(reason, req.signal);
      const bug = reason === undefined || reason instanceof ConnectError || req.signal.aborted ? {} : { bug: reason };
      hooks.callEnded?.({ method: req.method, code, durationMs: clock.now() - startedAt, ...bug });
    });
  };
}
