import { createServer, type ServiceDefinition } from "nice-grpc";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { serviceDefinitionOf } from "../../interop/service-definition.ts";
import { EchoService, sample } from "../sample.ts";
import { orders } from "./answers.ts";

/** nice-grpc without middleware. Its handlers are asynchronous, and it wants one for every method. */
export async function open(): Promise<number> {
  const server = createServer();
  const getOrder = async () => sample;
  const others = Object.fromEntries(OrderService.methods.map(({ localName }) => [localName, getOrder]));
  server.add(definition(OrderService), { ...others, ...orders, getOrder } as never);
  server.add(definition(EchoService), { echo: async (message: unknown) => message } as never);
  return server.listen("127.0.0.1:0");
}

/** It takes grpc-js's definitions as they are. */
function definition(service: Parameters<typeof serviceDefinitionOf>[0]): ServiceDefinition {
  return serviceDefinitionOf(service) as unknown as ServiceDefinition;
}
