import type { DescMethod, Message } from "@bufbuild/protobuf";
import {
  ConnectError,
  type ContextValues,
  type StreamResponse,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import { runInCall } from "../../call/context.ts";
import { methodName } from "../../call/method.ts";
import { RawMessage, readMessage } from "../../call/raw-message.ts";
import { ServedCall } from "../../call/served-call.ts";
import { untilAborted } from "../../call/stream.ts";
import type { RestTransport } from "../../rest/transcoder.ts";
import { pass, type Step } from "../../server/steps/step.ts";
import type { TimeoutOf } from "../../server/time-limit.ts";
import { requestIdKey } from "./request-ids.ts";
import { isNotCached } from "./unread.ts";
import type { PassOn } from "./way.ts";

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
  const begun = (
    method: DescMethod,
    signal: AbortSignal | undefined,
    askedMs: number | undefined,
    header: HeadersInit | undefined,
    values: ContextValues | undefined,
  ) => {
    const timeoutMs = sooner(askedMs, timeoutOf(method));
    const arrivedAt = clock.now();
    const call = new ServedCall({
      method,
      protocolName: "rest",
      requestMethod: "POST",
      header: header instanceof Headers ? header : new Headers(header),
      values,
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
      if (reason instanceof ConnectError && !Object.isFrozen(reason)) addHeader(call, reason.metadata);
      call.end(reason);
      throw reason;
    }
  };
  const transport: RestTransport = {
    async unary(method, signal, askedMs, header, message, values) {
      const { call, timeoutMs } = begun(method, signal, askedMs, header, values);
      const next = () => upstream.unary(method, undefined, timeoutMs, call.requestHeader, message, values);
      const res: UnaryResponse<typeof method.input, typeof method.output> = await through(call, next);
      addHeader(call, res.header);
      call.end();
      return res;
    },
    async unaryRaw(method, signal, askedMs, header, message, values) {
      const isTold = values?.get(requestIdKey) !== undefined; // which stands in the message
      if (isTold || !isNotCached(method)) {
        const read = message instanceof RawMessage ? readMessage(method, message) : message;
        return transport.unary(method, signal, askedMs, header, read as typeof message, values);
      }
      const { call, timeoutMs } = begun(method, signal, askedMs, header, values);
      const sent = message as Message;
      const about = { method, isRaw: true, header: call.requestHeader, timeoutMs, values };
      const next = () => passOn({ ...about, message: sent });
      const res = (await through(call, next)) as UnaryResponse<typeof method.input, typeof method.output>;
      addHeader(call, res.header);
      call.end();
      return res;
    },
    async stream(method, signal, askedMs, header, messages, values) {
      const { call, timeoutMs } = begun(method, signal, askedMs, header, values);
      const next = () => upstream.stream(method, undefined, timeoutMs, call.requestHeader, messages);
      const res: StreamResponse<typeof method.input, typeof method.output> = await through(call, next);
      addHeader(call, res.header);
      return { ...res, message: untilAborted(res.message, call.signal, (reason) => call.end(reason)) };
    },
  };
  return transport;
}

function sooner(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** What steps have to say in the answer's head. */
function addHeader({ madeResponseHeader }: ServedCall, header: Headers): void {
  madeResponseHeader?.forEach((value, name) => header.set(name, value));
}
