import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { GetOrderRequestSchema, OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { systemClock } from "../../base/clock.ts";
import { Deadlines } from "../../base/deadlines.ts";
import { Lifetime } from "../../base/lifetime.ts";
import { systemRandom } from "../../base/random.ts";
import { deadline } from "../../mesh/steps/deadline.ts";
import { inherit } from "../../mesh/steps/inherit.ts";
import { observe } from "../../mesh/steps/observe.ts";
import { chain } from "../../mesh/steps/step.ts";
import { validate } from "../../mesh/steps/validate.ts";
import { defaultEngine } from "../../wire/engines.ts";
import { callTransport, type Perform } from "../../wire/grpc/call-transport.ts";
import type { Send } from "../../wire/grpc/rpc.ts";
import { SessionPool } from "../../wire/session-pool.ts";
import type { Addresses, Call } from "../load.ts";
import { sampleId } from "../sample.ts";

const { getOrder: method } = OrderService.method;

/** Sessions and nothing above them: each address in turn. What the mesh costs is what it costs beyond this. */
export async function open(addresses: Addresses): Promise<Call> {
  const send = inTurn(addresses);
  return () => {
    const message = create(GetOrderRequestSchema, { id: sampleId });
    return send({ method, message, fields: [], timeoutMs: 1_000, lifetime: new Lifetime() });
  };
}

/** The same under a Connect client: as an application calls, but with no step of ours. */
export async function openConnect(addresses: Addresses): Promise<Call> {
  return callThrough(sending(addresses));
}

/** The same with what every call is given before it is anybody's: validation, a deadline, a place in a trace. No policy. */
export async function openSteps(addresses: Addresses): Promise<Call> {
  const [clock, deadlines] = [systemClock, new Deadlines(systemClock)];
  const steps = [observe({}, clock), validate(), deadline(clock, deadlines), inherit(systemRandom)];
  return callThrough(chain(steps, sending(addresses)));
}

function callThrough(perform: Perform): Call {
  const orders = createClient(OrderService, callTransport({ perform, interceptors: [], baseUrl: "http://wire" }));
  return () => orders.getOrder({ id: sampleId });
}

function sending(addresses: Addresses): Perform {
  const send = inTurn(addresses);
  return (call) => send({ method, message: call.message, fields: call.fields, timeoutMs: 1_000, lifetime: call });
}

function inTurn(addresses: Addresses): Send {
  const sessions = new SessionPool(defaultEngine);
  let turn = 0;
  return (attempt) => sessions.send(addresses[turn++ % addresses.length] ?? addresses[0], attempt);
}
