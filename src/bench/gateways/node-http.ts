import { toJsonString } from "@bufbuild/protobuf";
import { OrderSchema } from "../../../gen/shop/order/v1/order_pb.ts";
import { sample } from "../sample.ts";
import { bodyOf, listening } from "./behind.ts";

/** What any gateway over `node:http` pays at least: the same JSON each time, nobody behind it, nothing read of what is asked. */
export function open(): Promise<number> {
  const json = toJsonString(OrderSchema, sample.order, { alwaysEmitImplicit: true });
  return listening(async (request, response) => {
    if (request.method === "POST") await bodyOf(request);
    response.writeHead(request.method === "POST" ? 201 : 200, { "content-type": "application/json" }).end(json);
  });
}
