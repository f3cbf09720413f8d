/** A peer's server, as a process of its own: `node servers.ts KIND`. Told "usage", it answers with the CPU it used. */
import { once } from "node:events";
import { createServer, type Http2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import type { BytesValue } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { createServer as createNiceServer, type ServiceDefinition } from "nice-grpc";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { serviceDefinitionOf } from "../interop/grpc-js.ts";
import { niceDefinitionOf } from "../interop/nice-grpc.ts";
import { openServer } from "../server/serve.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { serverMetrics } from "../telemetry/server-metrics.ts";
import { answerParent } from "./child.ts";
import { openPlainServer } from "./plain-server.ts";
import { EchoService, sample, sampleUpdate, streamLength } from "./sample.ts";

const orders = {
  getOrder: () => sample,
  async *watchOrder() {
    for (let i = 0; i < streamLength; i++) yield sampleUpdate;
  },
};
const echoes: object = { echo: (message: BytesValue) => message };

const kinds: Readonly<Record<string, (interceptors: number) => Promise<number>>> = {
  /** All steps on: deadline, a caller who is proven, access, validation; metrics as in every service. */
  async heddle(count) {
    const principal = { subject: "caller", scopes: new Set<string>() };
    const server = await openServer({
      services: [
        [OrderService, orders],
        [EchoService, echoes],
      ],
      authenticate: async () => principal,
      interceptors: Array.from({ length: count }, () => (next) => (req) => next(req)),
      hooks: serverMetrics(createMetrics({ service: "order" })),
    });
    return server.port;
  },
  async "connect-node"() {
    const routes = (router: ConnectRouter) => void router.service(OrderService, orders).service(EchoService, echoes);
    return listening(createServer(connectNodeAdapter({ routes })));
  },
  async "grpc-js"() {
    const server = new GrpcServer();
    server.addService(serviceDefinitionOf(OrderService), {
      getOrder: (_call: unknown, done: (error: null, value: unknown) => void) => done(null, sample),
      watchOrder: sendAll,
    });
    server.addService(serviceDefinitionOf(EchoService), {
      echo: (call: { request: unknown }, done: (error: null, value: unknown) => void) => done(null, call.request),
    });
    const bind = Promise.withResolvers<number>();
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error ? bind.reject(error) : bind.resolve(port),
    );
    return bind.promise;
  },
  async "nice-grpc"() {
    const server = createNiceServer();
    const asksFor = Object.fromEntries(OrderService.methods.map(({ localName }) => [localName, orders.getOrder]));
    const niceOrders: object = { ...asksFor, ...orders, getOrder: async () => sample }; // it wants every method
    server.add(niceDefinitionOf(OrderService) as ServiceDefinition, niceOrders as never);
    server.add(
      niceDefinitionOf(EchoService) as ServiceDefinition,
      { echo: async (message: unknown) => message } as never,
    );
    return server.listen("127.0.0.1:0");
  },
  "node:http2": openPlainServer,
};

/** As grpc-js wants it: `write` says when to wait. */
async function sendAll(call: NodeJS.WritableStream): Promise<void> {
  for (let i = 0; i < streamLength; i++) if (!call.write(sampleUpdate as never)) await once(call, "drain");
  call.end();
}

function listening(server: Http2Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

const [kind = "", interceptors = "0"] = process.argv.slice(2);
const open = kinds[kind];
if (open === undefined) throw new Error(`which server? one of ${Object.keys(kinds).join(", ")}`);
answerParent({ ready: { port: await open(Number(interceptors)) } });
