import { create, type DescMethodUnary, type Message } from "@bufbuild/protobuf";
import { createContextValues, type Transport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { CreateOrderRequestSchema, OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { requestIdKey, withRequestIds } from "./request-ids.ts";

async function sent(method: DescMethodUnary, message: Message, id?: string): Promise<unknown> {
  const seen: unknown[] = [];
  const upstream = { unary: async (...args: unknown[]) => void seen.push(args[4]) } as unknown as Transport;
  const values = createContextValues();
  if (id !== undefined) values.set(requestIdKey, id);
  await withRequestIds(upstream).unary(method, undefined, undefined, undefined, message as never, values);
  return seen[0];
}

const { createOrder, getOrder } = OrderService.method;
const order = (init = {}) => create(CreateOrderRequestSchema, { userId: 1n, ...init });

test("a request that has a request_id and came with a key brings the id that stands for it", async () => {
  expect(await sent(createOrder, order(), "an id")).toMatchObject({ requestId: "an id", userId: 1n });
});

test("an id that the caller has set is kept", async () => {
  expect(await sent(createOrder, order({ requestId: "own" }), "an id")).toMatchObject({ requestId: "own" });
});

test("without a key, or without the field, a request is left as it is", async () => {
  expect(await sent(createOrder, order())).toMatchObject({ requestId: "" });
  expect(await sent(getOrder, create(getOrder.input, { id: "1" }), "an id")).not.toHaveProperty("requestId");
});
