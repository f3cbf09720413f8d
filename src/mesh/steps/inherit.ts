import type { Random } from "../../base/random.ts";
import { type CurrentCall, currentCall } from "../../call/context.ts";
import { criticalityToTell } from "../../call/criticality.ts";
import { type Fields, fieldOf } from "../../call/fields.ts";
import { headers } from "../../call/headers.ts";
import type { OutgoingCall } from "../../call/outgoing-call.ts";
import { newTraceparent } from "../../call/traceparent.ts";
import type { Step } from "./step.ts";

/**
 * Hands the trace, the criticality and the retry depth of the call being served on to the calls made on its behalf, unless they bring
 * their own, and starts a trace where there is none. Calls that one call makes share the trace that the first of them
 * started.
 *
 * Outside of the attempts, which all carry the same; what differs from one to the next, `hopFields` adds.
 */
export function inherit(random: Random): Step {
  return (next) => (call) => {
    const parent = currentCall();
    call.fields = withTrace(call.fields, parent, random);
    if (parent !== undefined) {
      tellCriticality(call, parent);
      call.retryDepth = parent.retryDepth ?? 0;
    }
    return next(call);
  };
}

function withTrace(fields: Fields, parent: CurrentCall | undefined, random: Random): Fields {
  if (fields.length > 0 && fieldOf(fields, headers.traceparent) !== undefined) return fields;
  const known = parent?.traceparent;
  const traceparent = known ?? newTraceparent(random);
  if (parent !== undefined && known === undefined) parent.traceparent = traceparent;
  const tracestate = known === undefined ? undefined : parent?.tracestate;
  if (tracestate !== undefined) return [...fields, headers.traceparent, traceparent, headers.tracestate, tracestate];
  return fields.length === 0 ? [headers.traceparent, traceparent] : [...fields, headers.traceparent, traceparent];
}

function tellCriticality(call: OutgoingCall, { criticality: inherited }: CurrentCall): void {
  const told = criticalityToTell(inherited, call.method);
  if (told === undefined || fieldOf(call.fields, headers.criticality) !== undefined) return;
  call.fields = [...call.fields, headers.criticality, told];
}
