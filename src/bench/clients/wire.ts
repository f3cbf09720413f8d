import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { GetOrderRequestSchema, OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { Lifetime } from "../../base/lifetime.ts";
import { defaultEngine } from "../../wire/engines.ts";
import { callTransport } from "../../wire/grpc/call-transport.ts";
import type { Attempt } from "../../wire/grpc/rpc.ts";
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
  const send = inTurn(addresses);
  const transport = callTransport({
    perform: (call) => send({ method, message: call.message, fields: [], timeoutMs: 1_000, lifetime: call }),
    interceptors: [],
    baseUrl: "http://wire",
  });
  const orders = createClient(OrderService, transport);
  return () => orders.getOrder({ id: sampleId });
}

function inTurn(addresses: Addresses): (attempt: Attempt) => Promise<unknown> & ReturnType<SessionPool["send"]> {
  const sessions = new SessionPool(defaultEngine);
  let turn = 0;
  return (attempt) => sessions.send(addresses[turn++ % addresses.length] ?? addresses[0], attempt);
}
