import type { Interceptor, Transport } from "@connectrpc/connect";
import type { Clock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import type { Random } from "../base/random.ts";
import { callTransport } from "../wire/grpc/call-transport.ts";
import type { SessionPool } from "../wire/session-pool.ts";
import type { ChannelOf } from "./channels.ts";
import type { MeshHooks } from "./hooks.ts";
import { deadline } from "./steps/deadline.ts";
import { inherit } from "./steps/inherit.ts";
import { observe } from "./steps/observe.ts";
import { pick } from "./steps/pick.ts";
import { retry } from "./steps/retry.ts";
import { chain } from "./steps/step.ts";
import { timeLeft } from "./steps/time-left.ts";
import { validate } from "./steps/validate.ts";

/** What the way out is made of. */
export interface MeshTransportOptions {
  readonly channelOf: ChannelOf;
  readonly sessions: SessionPool;
  /** Those of all calls, on this clock. */
  readonly deadlines: Deadlines;
  readonly hooks: MeshHooks;
  readonly clock: Clock;
  readonly random: Random;
  /** The application's own, outside of all steps. */
  readonly interceptors: readonly Interceptor[];
}

/** A Connect transport that finds its endpoints by the service of the method: no address anywhere. */
export function meshTransport(options: MeshTransportOptions): Transport {
  const { channelOf, sessions, deadlines, hooks, clock, random, interceptors } = options;
  // The way out, top to bottom.
  const steps = [
    observe(hooks, clock), // once per call
    validate(),
    deadline(clock, deadlines),
    inherit(random),
    retry({ channelOf, clock, random }), // may run the rest again
    timeLeft(clock, deadlines), // once per attempt: how long
  ];
  const last = pick({ channelOf, sessions, hooks, clock }); // and where to, if its circuit lets it
  return callTransport({ perform: chain(steps, last), interceptors, baseUrl: "http://mesh" });
}
