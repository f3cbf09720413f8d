/** A peer's server, as a process of its own: `node servers.ts KIND`. Told "usage", it answers with the CPU it used. */
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { toBinary } from "@bufbuild/protobuf";
import type { createConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { GetOrderResponseSchema, OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { serviceDefinitionOf } from "../interop/grpc-js.ts";
import { openServer } from "../server/serve.ts";
import { answerParent } from "./child.ts";
import { sampleOrder } from "./sample.ts";

const order = sampleOrder();
const orders: Partial<ServiceImpl<typeof OrderService>> = { getOrder: () => order };

const kinds: Readonly<Record<string, () => Promise<number>>> = {
  async heddle() {
    return (await openServer({ services: [[OrderService, orders]] })).port;
  },
  async "connect-node"() {
    const routes = (router: ReturnType<typeof createConnectRouter>) => void router.service(OrderService, orders);
    return listening(createServer(connectNodeAdapter({ routes })));
  },
  async "grpc-js"() {
    const server = new GrpcServer();
    server.addService(serviceDefinitionOf(OrderService), {
      getOrder: (_call: unknown, done: (error: null, value: unknown) => void) => done(null, order),
    });
    const bind = Promise.withResolvers<number>();
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error ? bind.reject(error) : bind.resolve(port),
    );
    return bind.promise;
  },
  /** What any server over `node:http2` pays at least: no codec, no routing, a constant answer. */
  async "node:http2"() {
    const message = toBinary(GetOrderResponseSchema, order);
    const frame = Buffer.concat([Buffer.from([0, 0, 0, message.length >> 8, message.length & 255]), message]);
    const server = createServer();
    server.on("stream", (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.resume().on("end", () => stream.end(frame));
    });
    return listening(server);
  },
};

function listening(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

const open = kinds[process.argv[2] ?? ""];
if (open === undefined) throw new Error(`which server? one of ${Object.keys(kinds).join(", ")}`);
const port = await open();
answerParent({ ready: { port } });
