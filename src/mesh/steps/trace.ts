import { currentCall } from "../../call/context.ts";
import { fieldOf } from "../../call/fields.ts";
import { headers } from "../../call/headers.ts";
import type { Step } from "./step.ts";

/** Hands the trace of the call being served on to the calls made on its behalf, unless they bring their own. */
export function trace(): Step {
  return (next) => (call) => {
    const parent = currentCall();
    const traceparent = parent?.traceparent;
    if (traceparent !== undefined && fieldOf(call.fields, headers.traceparent) === undefined) {
      const state = parent?.tracestate === undefined ? [] : [headers.tracestate, parent.tracestate];
      call.fields = [...call.fields, headers.traceparent, traceparent, ...state];
    }
    return next(call);
  };
}
