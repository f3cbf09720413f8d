import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { type Behind, openByHand } from "./behind.ts";

/** `node:http` in front, connect-node behind, nothing else. */
export function open({ upstream }: Behind): Promise<number> {
  const orders = createClient(OrderService, createGrpcTransport({ baseUrl: `http://${upstream}` }));
  return openByHand({
    getOrder: (id) => orders.getOrder({ id }),
    createOrder: (request) => orders.createOrder(request),
  });
}
