import { createChannel, createClientFactory, type ServiceDefinition } from "nice-grpc";
import { deadlineMiddleware } from "nice-grpc-client-middleware-deadline";
import { retryMiddleware } from "nice-grpc-client-middleware-retry";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { niceCallOptionsOf, niceDefinitionOf } from "../../interop/nice-grpc.ts";
import type { Addresses, Call } from "../load.ts";
import { sampleId } from "../sample.ts";

type AskOrder = (request: { id: string }) => Promise<unknown>;

/** With its own retry and deadline middlewares, set as the contract says. */
export async function open([address]: Addresses): Promise<Call> {
  const factory = createClientFactory().use(retryMiddleware).use(deadlineMiddleware);
  const definition = niceDefinitionOf(OrderService) as ServiceDefinition;
  const orders: object = factory.create(definition, createChannel(address), niceCallOptionsOf(OrderService));
  const { getOrder } = orders as { getOrder: AskOrder };
  return () => getOrder({ id: sampleId });
}
