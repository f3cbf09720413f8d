import { createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import type { Addresses, Call } from "../load.ts";
import { sampleId } from "../sample.ts";

/** With a timeout, and three interceptors that do nothing where Heddle has its steps. */
export async function open([address]: Addresses): Promise<Call> {
  const interceptors = Array.from({ length: 3 }, (): Interceptor => (next) => (req) => next(req));
  const transport = createGrpcTransport({ baseUrl: `http://${address}`, interceptors, defaultTimeoutMs: 1_000 });
  const orders = createClient(OrderService, transport);
  return () => orders.getOrder({ id: sampleId });
}
