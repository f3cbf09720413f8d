import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fromJsonString, toJsonString } from "@bufbuild/protobuf";
import {
  type CreateOrderRequest,
  CreateOrderRequestSchema,
  type CreateOrderResponse,
  type GetOrderResponse,
  OrderSchema,
} from "../../../gen/shop/order/v1/order_pb.ts";

/** What a gateway stands before: "host:port" of the order service, and of the discovery that knows it. */
export interface Behind {
  readonly upstream: string;
  readonly discovery: string;
}

/** The two calls that a gateway written by hand makes. */
export interface Orders {
  getOrder(id: string): Promise<GetOrderResponse>;
  createOrder(request: CreateOrderRequest): Promise<CreateOrderResponse>;
}

const collection = "/v1/orders";

/** The least that a gateway written by hand does: two routes, a call each, its answer as JSON. Resolves with its port. */
export function openByHand(orders: Orders): Promise<number> {
  return listening(async (request, response) => {
    const path = request.url ?? "";
    response.setHeader("content-type", "application/json");
    if (request.method === "POST" && path === collection) {
      const asked = fromJsonString(CreateOrderRequestSchema, await bodyOf(request));
      const { order } = await orders.createOrder(asked);
      response.writeHead(201, { location: `${collection}/${order?.id}` });
      response.end(order && toJsonString(OrderSchema, order));
    } else if (path.startsWith(`${collection}/`)) {
      const { order } = await orders.getOrder(decodeURIComponent(path.slice(collection.length + 1)));
      response.end(order && toJsonString(OrderSchema, order));
    } else response.writeHead(404).end();
  });
}

/** A server of `node:http`; resolves with its port. */
export async function listening(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<number> {
  const server = createServer((request, response) => {
    answer(request, response).catch((reason: unknown) => response.writeHead(502).end(String(reason)));
  });
  server.keepAliveTimeout = 65_000; // as Heddle's: while others are measured, connections are kept
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** The body of a request as text. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  await once(request, "end");
  return Buffer.concat(pieces).toString();
}
