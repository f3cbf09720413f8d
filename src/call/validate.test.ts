import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { BadRequestSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { CreateOrderRequestSchema } from "../../gen/shop/order/v1/order_pb.ts";
import { assertValid } from "./validate.ts";

const item = { sku: "ABC", qty: 1 };

/** The fields a request is refused for. */
function refusedFields(request: Parameters<typeof create<typeof CreateOrderRequestSchema>>[1]): string[] {
  try {
    assertValid(CreateOrderRequestSchema, create(CreateOrderRequestSchema, request));
    return [];
  } catch (reason) {
    const error = ConnectError.from(reason);
    expect(error.code).toBe(Code.InvalidArgument);
    const violations = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
    for (const { field, description } of violations) expect(error.rawMessage).toContain(`${field}: ${description}`);
    expect(violations.every(({ description }) => description !== "")).toBe(true);
    return violations.map(({ field }) => field);
  }
}

test("a message that keeps its contract passes", () => {
  expect(refusedFields({ userId: 1n, items: [item] })).toEqual([]);
});

test("every violation is told, nested fields by their whole path in proto names", () => {
  expect(refusedFields({ userId: 0n, items: [item, { sku: "", qty: 0 }] })).toEqual([
    "user_id",
    "items[1].sku",
    "items[1].qty",
  ]);
});

test("a rule over a whole field names the field", () => {
  expect(refusedFields({ userId: 1n, items: [item, item] })).toEqual(["items"]);
});
