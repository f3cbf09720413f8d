import { ConnectError, type Interceptor, type StreamResponse, type UnaryResponse } from "@connectrpc/connect";
import type { Clock } from "../base/clock.ts";
import { deadlineKey, runInCall } from "../call/context.ts";
import type { Fields } from "../call/fields.ts";
import { ServedCall } from "../call/served-call.ts";
import { orAborted, untilAborted } from "../call/stream.ts";
import { pass, type Step } from "./steps/step.ts";

type Request = Parameters<ReturnType<Interceptor>>[0];

/**
 * The steps for calls that Connect's handlers answer: over Connect, gRPC-Web and REST, and over gRPC where the engine
 * does not answer those itself. It owns such a call as the wire owns its own: it ends when its deadline passes or its
 * caller leaves, even if the handler ignores its signal, and what is called on its behalf inherits what is left.
 */
export function throughSteps(steps: readonly Step[], clock: Clock): Interceptor {
  return (next) => async (req) => {
    const call = begun(req, clock);
    const handled = runInCall(call, async () => {
      await pass(steps, call);
      return next({ ...req, signal: call.signal, message: call.message } as Request);
    });
    try {
      const res = await orAborted(handled, call.signal);
      tell(call.trailerFields, res.trailer);
      call.madeResponseHeader?.forEach((value, name) => res.header.set(name, value));
      if (res.stream) return untilEnd(call, res);
      call.end();
      return res;
    } catch (reason) {
      if (reason instanceof ConnectError && !Object.isFrozen(reason)) {
        tell(call.trailerFields, reason.metadata);
        call.madeResponseHeader?.forEach((value, name) => reason.metadata.set(name, value));
      }
      call.end(reason);
      throw reason;
    }
  };
}

function tell(fields: Fields | undefined, trailer: Headers): void {
  if (fields === undefined) return;
  for (let i = 0; i < fields.length; i += 2) trailer.set(fields[i] as string, fields[i + 1] as string);
}

function begun(req: Request, clock: Clock): ServedCall {
  const { method, requestMethod, header, contextValues: values, url, signal, message } = req;
  const deadlineAt = values.get(deadlineKey);
  const protocolName = protocolOf(header);
  const call = new ServedCall({
    method,
    protocolName,
    requestMethod,
    header,
    values,
    url,
    deadlineAt,
    arrivedAt: clock.now(),
    now: clock.now,
  });
  call.message = message;
  call.heed(signal);
  return call;
}

function protocolOf(header: Headers): string {
  const type = header.get("content-type") ?? "";
  if (!type.startsWith("application/grpc")) return "connect";
  return type.startsWith("application/grpc-web") ? "grpc-web" : "grpc";
}

function untilEnd(call: ServedCall, res: StreamResponse): StreamResponse | UnaryResponse {
  const message = untilAborted(inCall(call, res.message), call.signal, (reason) => call.end(reason));
  return { ...res, message };
}

/** A stream whose handler runs on behalf of the call: a generator runs where it is asked, not where it was made. */
function inCall<T>(call: ServedCall, source: AsyncIterable<T>): AsyncIterable<T> {
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
