import type { DescMethod } from "@bufbuild/protobuf";
import { type ContextValues, createContextValues, type Interceptor, type Transport } from "@connectrpc/connect";
import { runStreamingCall, runUnaryCall } from "@connectrpc/connect/protocol";
import type { Clock } from "../base/clock.ts";
import { deadlineKey } from "../call/context.ts";
import type { TimeoutOf } from "../server/time-limit.ts";

/** What stands before the calls that REST makes. */
export interface RestUpstreamOptions {
  readonly upstream: Transport;
  /** The same steps that RPCs go through on their way in. */
  readonly steps: readonly Interceptor[];
  readonly timeoutOf: TimeoutOf;
  readonly clock: Clock;
}

/** The way upstream for REST: straight to the mesh, without passing for an RPC first, but through an RPC's steps. */
export function restUpstream({ upstream, steps, timeoutOf, clock }: RestUpstreamOptions): Transport {
  const interceptors = [...steps];
  const begin = (method: DescMethod) => {
    const timeoutMs = timeoutOf(method);
    const contextValues = createContextValues();
    if (timeoutMs !== undefined) contextValues.set(deadlineKey, clock.now() + timeoutMs);
    return { timeoutMs, contextValues };
  };
  return {
    unary(method, signal, _timeoutMs, header, message) {
      const { timeoutMs, contextValues } = begin(method);
      return runUnaryCall({
        interceptors,
        ...(signal && { signal }),
        req: { ...requestTo(method, header, contextValues), stream: false, message },
        next: (req) => upstream.unary(method, req.signal, timeoutMs, req.header, req.message),
      });
    },
    stream(method, signal, _timeoutMs, header, message) {
      const { timeoutMs, contextValues } = begin(method);
      return runStreamingCall({
        interceptors,
        ...(signal && { signal }),
        req: { ...requestTo(method, header, contextValues), stream: true, message },
        next: (req) => upstream.stream(method, req.signal, timeoutMs, req.header, req.message),
      });
    },
  };
}

function requestTo<M extends DescMethod>(method: M, header: HeadersInit | undefined, contextValues: ContextValues) {
  const url = `http://mesh/${method.parent.typeName}/${method.name}`;
  return { service: method.parent, method, requestMethod: "POST", url, header: new Headers(header), contextValues };
}
