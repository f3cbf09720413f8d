import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { toJsonString } from "@bufbuild/protobuf";
import { type GetOrderResponse, OrderSchema } from "../../../gen/shop/order/v1/order_pb.ts";

/** What a gateway stands before: "host:port" of the order service, and of the discovery that knows it. */
export interface Behind {
  readonly upstream: string;
  readonly discovery: string;
}

const prefix = "/v1/orders/";

/** The least that a gateway written by hand does: one route, one call, its answer as JSON. Resolves with its port. */
export async function openByHand(getOrder: (id: string) => Promise<GetOrderResponse>): Promise<number> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? "";
    if (!path.startsWith(prefix)) return void response.writeHead(404).end();
    try {
      const { order } = await getOrder(decodeURIComponent(path.slice(prefix.length)));
      response.setHeader("content-type", "application/json");
      response.end(order && toJsonString(OrderSchema, order));
    } catch (reason) {
      response.writeHead(502).end(String(reason));
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
