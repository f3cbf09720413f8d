import type { Interceptor } from "@connectrpc/connect";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { openMesh } from "../../mesh/mesh.ts";
import { staticResolver } from "../../mesh/resolve/static.ts";
import type { Addresses, Call } from "../load.ts";
import { sampleId } from "../sample.ts";

/** With deadline, validation, budgeted retry, pick among three endpoints, breaker. */
export async function open(addresses: Addresses, count: number): Promise<Call> {
  const resolver = staticResolver({ [OrderService.typeName]: addresses });
  const interceptors = Array.from({ length: count }, (): Interceptor => (next) => (req) => next(req));
  const orders = (await openMesh({ resolver, interceptors })).client(OrderService);
  return () => orders.getOrder({ id: sampleId });
}
