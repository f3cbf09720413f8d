import { ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import type { ServerHooks } from "../hooks.ts";

/** Tells the hooks of each call when it starts and how it ends. Outermost, so that what other steps refuse counts too. */
export function observe(hooks: ServerHooks, clock: Clock): Interceptor {
  return (next) => async (req) => {
    const startedAt = clock.now();
    const end = (reason?: unknown) => {
      const code = reason === undefined ? undefined : ConnectError.from(reason).code;
      hooks.callEnded?.({ method: req.method, code, durationMs: clock.now() - startedAt });
    };
    hooks.callStarted?.(req.method);
    try {
      const res = await next(req);
      if (res.stream) return { ...res, message: observed(res.message, end) };
      end();
      return res;
    } catch (reason) {
      end(reason);
      throw reason;
    }
  };
}

