/** A gateway for `GET /v1/orders/{id}`, as a process of its own: `node gateways.ts KIND UPSTREAM DISCOVERY`. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { create, toJsonString } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import {
  GetOrderRequestSchema,
  type GetOrderResponse,
  OrderSchema,
  OrderService,
} from "../../gen/shop/order/v1/order_pb.ts";
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import { openGateway } from "../gateway/gateway.ts";
import { serviceDefinitionOf } from "../interop/grpc-js.ts";
import { answerParent } from "./child.ts";
import { sampleId } from "./sample.ts";

type GetOrder = (id: string) => Promise<GetOrderResponse>;

const prefix = "/v1/orders/";

const kinds: Readonly<Record<string, (upstream: string, discovery: string) => Promise<number>>> = {
  /** The gateway itself, as it is started: discovery, reflection, routes by contract, metrics, CORS, request ids. */
  async heddle(_upstream, discovery) {
    const { port } = await openGateway({ port: 0, discovery, log: silentLogger, signals: false });
    while (!(await fetch(`http://127.0.0.1:${port}${prefix}${sampleId}`)).ok) await systemClock.sleep(50);
    return port;
  },
  async "node:http + grpc-js"(upstream) {
    const Client = makeGenericClientConstructor(serviceDefinitionOf(OrderService), OrderService.typeName);
    const client = new Client(upstream, credentials.createInsecure());
    return openGatewayOver(
      (id) =>
        new Promise((resolve, reject) => {
          const request = create(GetOrderRequestSchema, { id });
          client.getOrder?.(request, (error: Error | null, answer: GetOrderResponse) =>
            error ? reject(error) : resolve(answer),
          );
        }),
    );
  },
  async "node:http + connect-node"(upstream) {
    const orders = createClient(OrderService, createGrpcTransport({ baseUrl: `http://${upstream}` }));
    return openGatewayOver((id) => orders.getOrder({ id }));
  },
};

/** The least that a gateway written by hand does: one route, one call, its answer as JSON. */
async function openGatewayOver(getOrder: GetOrder): Promise<number> {
  const server: Server = createServer(async (request, response) => {
    const path = request.url ?? "";
    if (!path.startsWith(prefix)) return void response.writeHead(404).end();
    try {
      const { order } = await getOrder(decodeURIComponent(path.slice(prefix.length)));
      response.setHeader("content-type", "application/json");
      response.end(order && toJsonString(OrderSchema, order));
    } catch (reason) {
      response.writeHead(502).end(String(reason));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const [kind = "", upstream = "", discovery = ""] = process.argv.slice(2);
const open = kinds[kind];
if (open === undefined) throw new Error(`which gateway? one of ${Object.keys(kinds).join(", ")}`);
answerParent({ ready: { port: await open(upstream, discovery) } });
