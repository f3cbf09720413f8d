import { create } from "@bufbuild/protobuf";
import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import { GetOrderRequestSchema, OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { serviceDefinitionOf } from "../../interop/service-definition.ts";
import type { Orders } from "../gateways/behind.ts";
import type { Addresses, Call } from "../load.ts";
import { sampleId } from "../sample.ts";

/** With nothing on. */
export async function open([address]: Addresses): Promise<Call> {
  const { getOrder } = ordersAt(address);
  return () => getOrder(sampleId);
}

/** Asks for orders through grpc-js, as a promise. */
export function ordersAt(address: string): Orders {
  const Client = makeGenericClientConstructor(serviceDefinitionOf(OrderService), OrderService.typeName);
  const client = new Client(address, credentials.createInsecure());
  const ask = <T>(method: "getOrder" | "createOrder", request: unknown) =>
    new Promise<T>((resolve, reject) => {
      client[method]?.(request, (error: Error | null, answer: T) => (error ? reject(error) : resolve(answer)));
    });
  return {
    getOrder: (id) => ask("getOrder", create(GetOrderRequestSchema, { id })),
    createOrder: (request) => ask("createOrder", request),
  };
}
