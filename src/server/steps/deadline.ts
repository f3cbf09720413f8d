import type { Interceptor } from "@connectrpc/connect";
import { type CurrentCall, deadlineKey, runInCall } from "../../call/context.ts";
import { headers } from "../../call/headers.ts";
import { orAborted, untilAborted } from "../../call/stream.ts";

/**
 * Ends a call when its deadline passes or its caller leaves, even if the handler ignores its signal, and lets calls
 * made on its behalf inherit what is left. A stream without a deadline is endless: draining ends it.
 *
 * Outside of everything that may take time, so that all of it is under the one deadline.
 */
export function deadline(draining: AbortSignal): Interceptor {
  return (next) => async (req) => {
    const deadlineAt = req.contextValues.get(deadlineKey);
    const endless = req.stream && deadlineAt === undefined;
    const signal = endless ? AbortSignal.any([req.signal, draining]) : req.signal;
    const call: CurrentCall = {
      deadlineAt,
      signal,
      traceparent: req.header.get(headers.traceparent) ?? undefined,
      tracestate: req.header.get(headers.tracestate) ?? undefined,
    };
    const res = await orAborted(
      runInCall(call, () => next({ ...req, signal })),
      signal,
    );
    return res.stream ? { ...res, message: untilAborted(inCall(call, res.message), signal) } : res;
  };
}

/** A stream whose handler runs on behalf of the call: a generator runs where it is asked, not where it was made. */
function inCall<T>(call: CurrentCall, source: AsyncIterable<T>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      return {
        next: () => runInCall(call, () => iterator.next()),
        return: async (value?: unknown) => (await iterator.return?.(value)) ?? { done: true, value },
      };
    },
  };
}
