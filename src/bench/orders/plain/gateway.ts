import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { fromJson, toJson } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  CatalogService,
  CreateProductRequestSchema,
  ProductSchema,
} from "../../../../gen/shop/catalog/v1/catalog_pb.ts";
import { CreateOrderRequestSchema, OrderSchema, OrderService } from "../../../../gen/shop/order/v1/order_pb.ts";
import { CreateUserRequestSchema, UserSchema, UserService } from "../../../../gen/shop/user/v1/user_pb.ts";

/** Where the services are. */
export interface Upstreams {
  readonly user: string;
  readonly catalog: string;
  readonly order: string;
}

/** `node:http` in front, a Connect client for each service behind. */
export async function openGateway({ user, catalog, order }: Upstreams, port: number): Promise<void> {
  const transport = (address: string) => createGrpcTransport({ baseUrl: `http://${address}` });
  const users = createClient(UserService, transport(user));
  const products = createClient(CatalogService, transport(catalog));
  const orders = createClient(OrderService, transport(order));
  const routes: Readonly<Record<string, (body: never) => Promise<unknown>>> = {
    "/v1/users": async (body) => {
      const made = await users.createUser(fromJson(CreateUserRequestSchema, body));
      return made.user && toJson(UserSchema, made.user);
    },
    "/v1/products": async (body) => {
      const made = await products.createProduct(fromJson(CreateProductRequestSchema, body));
      return made.product && toJson(ProductSchema, made.product);
    },
    "/v1/orders": async (body) => {
      const made = await orders.createOrder(fromJson(CreateOrderRequestSchema, body));
      return made.order && toJson(OrderSchema, made.order);
    },
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const headers = { "content-type": "application/json" };
    try {
      const made = await routes[request.url ?? ""]?.((await bodyOf(request)) as never);
      response.writeHead(201, headers).end(JSON.stringify(made));
    } catch (reason) {
      response.writeHead(500, headers).end(JSON.stringify({ message: String(reason) }));
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString());
}
