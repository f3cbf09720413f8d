import type { Random } from "../../base/random.ts";
import { FieldHeaders, putField } from "../../call/field-headers.ts";
import { headers } from "../../call/headers.ts";
import { newTraceparent, traceIdOf } from "../../call/traceparent.ts";
import type { HttpHandler } from "../../wire/engine.ts";

/**
 * Gives every request a place in a trace, its caller's own if that is one, and tells the trace's id in the answer,
 * whatever the answer is: with it, `heddle explain` tells what happened to the calls that it took.
 */
export function withTrace(random: Random, inner: HttpHandler): HttpHandler {
  return async (request) => {
    const brought = request.header.get(headers.traceparent) ?? undefined;
    const traceId = traceIdOf(brought) ?? started(request.header, random);
    const answer = await inner(request);
    answer.header ??= new FieldHeaders();
    putField(answer.header, headers.traceId, traceId);
    return answer;
  };
}

/** Starts a trace; the state of one that cannot be read goes with it (https://www.w3.org/TR/trace-context/#a-traceparent-is-not-received). */
function started(header: Headers, random: Random): string {
  const traceparent = newTraceparent(random);
  putField(header, headers.traceparent, traceparent);
  header.delete(headers.tracestate);
  return traceparent.slice(3, 35); // behind the version
}
