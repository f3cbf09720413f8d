/** What a call costs that goes nowhere, as a process of its own: its session answers at once. Told to, it measures. */
import { createClient } from "@connectrpc/connect";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { systemClock } from "../../base/clock.ts";
import { openMesh } from "../../mesh/mesh.ts";
import { staticResolver } from "../../mesh/resolve/static.ts";
import { meshMetrics } from "../../telemetry/mesh-metrics.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import type { Engine, Session } from "../../wire/engine.ts";
import { callTransport, type Perform } from "../../wire/grpc/call-transport.ts";
import { UnaryAnswer } from "../../wire/grpc/unary-answer.ts";
import { answerParent } from "../answer-parent.ts";
import { withEverything } from "../clients/full-contract.ts";
import type { Call } from "../load.ts";
import { sample, sampleId } from "../sample.ts";

/** What a call costs beyond a Connect client's own work, in microseconds of CPU: round by round. */
export interface StackCosts {
  readonly heddle: readonly number[];
  readonly full: readonly number[];
}

const [inFlight, callsEach, rounds, warmUps] = [32, 2_000, 15, 3];
const { getOrder: method } = OrderService.method;

const session: Session = {
  ...{ address: "nowhere:1", origin: "http://nowhere:1", clock: systemClock, state: "ready" },
  request: () => Promise.reject(new Error("nothing goes anywhere")),
  send: () => Promise.resolve(new UnaryAnswer(method, sample, [], [])),
  onChange: () => () => {},
  retire: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
const engine: Engine = {
  listen: () => Promise.reject(new Error("nobody listens")),
  connect: () => session,
};
const addresses = ["a:1", "b:1", "c:1"];

async function measure(): Promise<StackCosts> {
  const [bare, heddle, full] = [bareCall(), await heddleCall(), await fullCall()];
  for (let i = 0; i < warmUps; i++) for (const call of [bare, heddle, full]) await usPerCall(call);
  const costs = { heddle: [] as number[], full: [] as number[] };
  for (let i = 0; i < rounds; i++) {
    const bareUs = await usPerCall(bare);
    costs.heddle.push((await usPerCall(heddle)) - bareUs);
    costs.full.push((await usPerCall(full)) - bareUs);
  }
  return costs;
}

function bareCall(): Call {
  const perform: Perform = (call) =>
    session.send({ method, message: call.message, fields: call.fields, timeoutMs: 1_000, lifetime: call });
  const orders = createClient(OrderService, callTransport({ perform, interceptors: [], baseUrl: "http://nowhere" }));
  return () => orders.getOrder({ id: sampleId });
}

async function heddleCall(): Promise<Call> {
  const resolver = staticResolver({ [OrderService.typeName]: addresses });
  const orders = (await openMesh({ engine, resolver })).client(OrderService);
  return () => orders.getOrder({ id: sampleId });
}

async function fullCall(): Promise<Call> {
  const service = withEverything();
  const resolver = staticResolver({ [service.typeName]: addresses });
  const hooks = meshMetrics(createMetrics({ service: "bench" }));
  const orders: object = (await openMesh({ engine, resolver, hooks })).client(service);
  const { getOrder } = orders as { getOrder(request: { readonly id: string }): Promise<unknown> };
  return () => getOrder({ id: sampleId });
}

async function usPerCall(call: Call): Promise<number> {
  const before = process.cpuUsage();
  const caller = async () => {
    for (let i = 0; i < callsEach; i++) await call();
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (inFlight * callsEach);
}

answerParent({ ready: {}, onMessage: measure });
