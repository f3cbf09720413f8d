import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { StreamResponse, Transport, UnaryResponse } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import { runInCall } from "../../call/context.ts";
import { methodName } from "../../call/method.ts";
import { ServedCall } from "../../call/served-call.ts";
import { untilAborted } from "../../call/stream.ts";
import type { RestTransport } from "../../rest/transcoder.ts";
import { pass, type Step } from "../../server/steps/step.ts";
import type { TimeoutOf } from "../../server/time-limit.ts";
import type { PassOn } from "./pass-through.ts";

/** What stands before the calls that REST makes. */
export interface RestUpstreamOptions {
  readonly upstream: Transport;
  /** The same for answers that nobody reads before they are written. */
  readonly passOn: PassOn;
  /** The same steps that RPCs go through on their way in. */
  readonly steps: readonly Step[];
  readonly timeoutOf: TimeoutOf;
  readonly clock: Clock;
}

/**
 * The way upstream for REST: straight to the mesh, without passing for an RPC first, but through an RPC's steps. The call
 * upstream is made on behalf of the one that REST is, and ends with it.
 */
export function restUpstream({ upstream, passOn, steps, timeoutOf, clock }: RestUpstreamOptions): RestTransport {
  const begun = (method: DescMethod, signal: AbortSignal | undefined, header: HeadersInit | undefined) => {
    const timeoutMs = timeoutOf(method);
    const arrivedAt = clock.now();
    const call = new ServedCall({
      method,
      protocolName: "rest",
      requestMethod: "POST",
      header: header instanceof Headers ? header : new Headers(header),
      url: `http://mesh/${methodName(method)}`,
      deadlineAt: timeoutMs === undefined ? undefined : arrivedAt + timeoutMs,
      arrivedAt,
      now: clock.now,
    });
    if (signal !== undefined) call.heed(signal);
    return { call, timeoutMs };
  };
  const through = async <R>(call: ServedCall, next: () => Promise<R>): Promise<R> => {
    try {
      const passing = pass(steps, call);
      if (passing !== undefined) await passing;
      return await runInCall(call, next);
    } catch (reason) {
      call.end(reason);
      throw reason;
    }
  };
  return {
    async unary(method, signal, _timeoutMs, header, message) {
      const { call, timeoutMs } = begun(method, signal, header);
      const next = () => upstream.unary(method, undefined, timeoutMs, call.requestHeader, message);
      const res: UnaryResponse<typeof method.input, typeof method.output> = await through(call, next);
      call.end();
      return res;
    },
    async unaryRaw(method, signal, _timeoutMs, header, message) {
      const { call, timeoutMs } = begun(method, signal, header);
      const sent = message as Message;
      const next = () => passOn({ method, isRaw: true, message: sent, header: call.requestHeader, timeoutMs });
      const res = (await through(call, next)) as UnaryResponse<typeof method.input, typeof method.output>;
      call.end();
      return res;
    },
    async stream(method, signal, _timeoutMs, header, messages) {
      const { call, timeoutMs } = begun(method, signal, header);
      const next = () => upstream.stream(method, undefined, timeoutMs, call.requestHeader, messages);
      const res: StreamResponse<typeof method.input, typeof method.output> = await through(call, next);
      return { ...res, message: untilAborted(res.message, call.signal, (reason) => call.end(reason)) };
    },
  };
}
