import { once } from "node:events";
import { promisify } from "node:util";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { serviceDefinitionOf } from "../../interop/service-definition.ts";
import { EchoService, sample, sampleUpdate, streamLength } from "../sample.ts";

type Done = (error: null, answer: unknown) => void;

/** grpc-js with handlers and nothing else. */
export async function open(): Promise<number> {
  const server = new Server();
  server.addService(serviceDefinitionOf(OrderService), {
    getOrder: (_call: unknown, done: Done) => done(null, sample),
    watchOrder: (call: NodeJS.WritableStream) => void sendAll(call),
  });
  server.addService(serviceDefinitionOf(EchoService), {
    echo: (call: { request: unknown }, done: Done) => done(null, call.request),
  });
  return promisify(server.bindAsync.bind(server))("127.0.0.1:0", ServerCredentials.createInsecure());
}

/** As grpc-js wants it: `write` says when to wait. */
async function sendAll(call: NodeJS.WritableStream): Promise<void> {
  for (let i = 0; i < streamLength; i++) if (!call.write(sampleUpdate as never)) await once(call, "drain");
  call.end();
}
