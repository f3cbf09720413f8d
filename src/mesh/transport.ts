import type { Interceptor, Transport } from "@connectrpc/connect";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { ownValues } from "../call/context.ts";
import { grpcTransportOver } from "../wire/grpc.ts";
import type { SessionPool } from "../wire/session-pool.ts";
import type { ChannelOf } from "./channels.ts";
import type { MeshHooks } from "./hooks.ts";
import { deadline, timeoutKey } from "./steps/deadline.ts";
import { observe } from "./steps/observe.ts";
import { pick } from "./steps/pick.ts";
import { retry } from "./steps/retry.ts";
import { timeLeft } from "./steps/time-left.ts";
import { trace } from "./steps/trace.ts";
import { validate } from "./steps/validate.ts";

/** What the way out is made of. */
export interface MeshTransportOptions {
  readonly channelOf: ChannelOf;
  readonly sessions: SessionPool;
  readonly hooks: MeshHooks;
  readonly clock: Clock;
  readonly random: Random;
  /** The application's own, outside of all steps. */
  readonly interceptors: readonly Interceptor[];
}

/** A Connect transport that finds its endpoints by the service of the method: no address anywhere. */
export function meshTransport(options: MeshTransportOptions): Transport {
  const { channelOf, sessions, hooks, clock, random } = options;
  // The way out, top to bottom: Connect applies the first one outermost.
  const interceptors = [
    ...options.interceptors,
    observe(hooks, clock), // once per call
    validate(),
    deadline(clock),
    trace(),
    retry({ channelOf, clock, random }), // may run the rest again
    timeLeft(clock), // once per attempt: how long
    pick({ channelOf, sessions, hooks, clock }), // and where to, if its circuit lets it
  ];
  const inner = grpcTransportOver(sessions.request, "http://mesh", { interceptors });
  // The timeout travels as a context value: the deadline step keeps it, by our clock, and not Connect.
  return {
    unary: (method, signal, timeoutMs, header, input, given) =>
      inner.unary(method, signal, undefined, header, input, ownValues(given).set(timeoutKey, timeoutMs)),
    stream: (method, signal, timeoutMs, header, input, given) =>
      inner.stream(method, signal, undefined, header, input, ownValues(given).set(timeoutKey, timeoutMs)),
  };
}
