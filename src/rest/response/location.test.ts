import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OrderService, CreateOrderResponseSchema as schema } from "../../../gen/shop/order/v1/order_pb.ts";
import { rawMessage } from "../../call/raw-message.ts";
import { bindingsOf } from "../routes/rules.ts";
import { locationReader } from "./location.ts";

const [binding] = bindingsOf(OrderService).filter(({ created }) => created !== undefined);
const locate = (binding && locationReader(binding)) ?? expect.fail("CreateOrder creates nothing");
const bytesOf = (init: MessageInitShape<typeof schema>) => toBinary(schema, create(schema, init));
const inBytes = (...pieces: readonly Uint8Array[]) => locate(rawMessage(Buffer.concat(pieces)));

test.each<[string, MessageInitShape<typeof schema>, string | undefined]>([
  ["a plain name", { order: { id: "o-1", userId: 7n } }, "/v1/orders/o-1"],
  ["one that has to be escaped", { order: { id: "ä b" } }, "/v1/orders/%C3%A4%20b"],
  ["none", { order: { userId: 7n } }, undefined],
  ["nothing created", {}, undefined],
])("where something was created is the same by a message and by its bytes: %s", (_, init, location) => {
  expect(locate(create(schema, init))).toBe(location);
  expect(inBytes(bytesOf(init))).toBe(location);
});

test("an answer in two pieces is one answer, as it is where it is decoded", () => {
  const pieces = [bytesOf({ order: { id: "o-1" } }), bytesOf({ order: { userId: 7n } })];
  expect(inBytes(...pieces)).toBe("/v1/orders/o-1");
});

test("bytes that are no answer are told as such", () => {
  expect(() => inBytes(bytesOf({ order: { id: "o-1" } }), Uint8Array.of(10))).toThrow(
    expect.objectContaining({ code: Code.Internal }),
  );
});
