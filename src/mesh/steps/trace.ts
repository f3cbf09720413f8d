import type { Interceptor } from "@connectrpc/connect";
import { currentCall } from "../../call/context.ts";
import { headers } from "../../call/headers.ts";

/** Hands the trace of the call being served on to the calls made on its behalf, unless they bring their own. */
export function trace(): Interceptor {
  return (next) => async (req) => {
    const parent = currentCall();
    if (parent?.traceparent !== undefined && !req.header.has(headers.traceparent)) {
      req.header.set(headers.traceparent, parent.traceparent);
      if (parent.tracestate !== undefined) req.header.set(headers.tracestate, parent.tracestate);
    }
    return next(req);
  };
}
