import { ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import { ended } from "../../call/ended.ts";
import type { MeshHooks } from "../hooks.ts";

/** Tells the hooks of each call when it starts and how it ends. Outermost: the caller's view of the call. */
export function observe(hooks: MeshHooks, clock: Clock): Interceptor {
  return (next) => async (req) => {
    const startedAt = clock.now();
    hooks.callStarted?.(req.method);
    return ended(next(req), (reason) => {
      const code = reason === undefined ? undefined : ConnectError.from(reason).code;
      hooks.callEnded?.({ method: req.method, code, durationMs: clock.now() - startedAt });
    });
  };
}
