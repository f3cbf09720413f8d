import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { GetOrderRequestSchema, OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import type { RawMessage } from "../../call/raw-message.ts";
import { bindingsOf } from "../routes/rules.ts";
import { pathEncoder, pathReader } from "./path-variables.ts";

const bindingOf = (name: string) =>
  bindingsOf(OrderService).find(({ method }) => method.name === name) ?? expect.fail(`${name} has no path`);

test.each([
  ["o-1", "o-1"],
  ["", ""],
  ["%C3%A4%20b%2Fc", "ä b/c"],
  ["x".repeat(127), "x".repeat(127)],
  ["%E2%82%AC".repeat(100), "€".repeat(100)],
  ["y".repeat(16_380), "y".repeat(16_380)],
])("what a path says is the same as a message and as bytes: %.20s", (segment, id) => {
  const segments = ["v1", "orders", segment];
  expect(pathReader(bindingOf("GetOrder"))?.(segments)).toMatchObject({ id });
  const encode = pathEncoder(bindingOf("GetOrder")) ?? expect.fail("GetOrder has no encoder");
  const { bytes } = encode(segments) as unknown as RawMessage;
  expect(fromBinary(GetOrderRequestSchema, bytes)).toMatchObject({ id });
  if (segment === "") expect(bytes).toHaveLength(0);
});

test("a bad escape is told by the name of its field", () => {
  expect(() => pathEncoder(bindingOf("GetOrder"))?.(["v1", "orders", "%E0%A4%A"])).toThrow(/bad percent escape/);
});

test("requests with a body are for the usual reader", () => {
  expect(pathEncoder(bindingOf("CreateOrder"))).toBeUndefined();
});
