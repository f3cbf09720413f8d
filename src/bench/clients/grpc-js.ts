import { create } from "@bufbuild/protobuf";
import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import { GetOrderRequestSchema, type GetOrderResponse, OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { serviceDefinitionOf } from "../../interop/service-definition.ts";
import type { Addresses, Call } from "../load.ts";
import { sampleId } from "../sample.ts";

/** With nothing on. */
export async function open([address]: Addresses): Promise<Call> {
  const getOrder = orderAsker(address);
  return () => getOrder(sampleId);
}

/** Asks for orders through grpc-js, as a promise. */
export function orderAsker(address: string): (id: string) => Promise<GetOrderResponse> {
  const Client = makeGenericClientConstructor(serviceDefinitionOf(OrderService), OrderService.typeName);
  const client = new Client(address, credentials.createInsecure());
  return (id) =>
    new Promise((resolve, reject) => {
      client.getOrder?.(create(GetOrderRequestSchema, { id }), (error: Error | null, answer: GetOrderResponse) =>
        error ? reject(error) : resolve(answer),
      );
    });
}
