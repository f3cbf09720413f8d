import type { StreamResponse, Transport, UnaryResponse } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { OutgoingCallInit } from "../../call/outgoing-call.ts";
import type { JsonOutput } from "../../rest/response/response.ts";
import type { Step } from "../../server/steps/step.ts";
import type { TimeoutOf } from "../../server/time-limit.ts";
import type { AddressSet } from "../../wire/addresses.ts";
import type { Room } from "../../wire/grpc/rpc.ts";

/** Makes one call upstream, whose messages are bytes where it `isRaw`. */
export type PassOn = (init: OutgoingCallInit) => Promise<UnaryResponse | StreamResponse>;

/** What every request passes on its way upstream. */
export interface WayUpstream {
  readonly upstream: Transport;
  /** The same for calls whose messages nobody here reads. */
  readonly passOn: PassOn;
  /** The first one first. */
  readonly steps: readonly Step[];
  readonly timeoutOf: TimeoutOf;
  /** How REST answers are written. If unset, as protojson has it, with every field. */
  readonly json?: JsonOutput;
  readonly clock: Clock;
  readonly random: Random;
  /** What messages have to fit in that are passed on as they are. If unset, there is always room. */
  readonly room?: Room;
  /** Proxies whose word for where a request comes from is taken. If unset, nobody's. */
  readonly proxies?: AddressSet | undefined;
  /** Origins whose pages may open WebSockets. If unset, none but its own. */
  readonly origins?: readonly string[];
}
