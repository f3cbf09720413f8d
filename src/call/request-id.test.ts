import { create, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CreateOrderRequestSchema, OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { CreateUserRequestSchema, UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { requestIdContract } from "../testing/contract.ts";
import { type RawMessage, rawMessage } from "./raw-message.ts";
import { requestIdField, requestIdIn, withRequestId } from "./request-id.ts";

const field = requestIdField(UserService.method.createUser) ?? expect.fail();
const ada = { name: "Ada", email: "ada@example.com" };
const user = (init = {}) => create(CreateUserRequestSchema, { ...ada, ...init });
const raw = (message: ReturnType<typeof user>) => rawMessage(toBinary(CreateUserRequestSchema, message));
const newId = () => "a new id";
const read = (message: Message) => fromBinary(CreateUserRequestSchema, (message as unknown as RawMessage).bytes);

test("the field is the one that the contract marks, whatever its name", () => {
  expect(field.name).toBe("request_id");
  expect(requestIdField(OrderService.method.createOrder)?.parent).toBe(CreateOrderRequestSchema);
  expect(requestIdField(UserService.method.getUser)).toBeUndefined();
  const [method = expect.fail()] = requestIdContract([{ name: "token" }]).methods;
  expect(requestIdField(method)?.name).toBe("token");
  const [unmarked = expect.fail()] = requestIdContract([{ name: "request_id", isMarked: false }]).methods;
  expect(requestIdField(unmarked)).toBeUndefined();
});

test("a request without an id gets one, and its caller's message stays as it was", () => {
  const message = user();
  const sent = withRequestId(message, field, newId);
  expect(sent).toEqual(user({ requestId: "a new id" }));
  expect(message.requestId).toBe("");
});

test("a request that names itself stays as it is, as bytes too", () => {
  const named = user({ requestId: "own" });
  expect(withRequestId(named, field, newId)).toBe(named);
  const bytes = raw(named);
  expect(withRequestId(bytes, field, newId)).toBe(bytes);
  expect(requestIdIn(bytes, field)).toBe("own");
});

test("to a request in bytes the id is appended, what is unknown of it kept", () => {
  const message = user();
  message.$unknown = [{ no: 99, wireType: 0, data: Uint8Array.of(7) }];
  const sent = read(withRequestId(raw(message), field, newId));
  expect(sent).toMatchObject({ ...ada, requestId: "a new id", $unknown: [{ no: 99 }] });
});

test("an id that is emptied further on in the bytes is none", () => {
  const emptied = Buffer.concat([
    toBinary(CreateUserRequestSchema, user({ requestId: "own" })),
    Buffer.from([0x1a, 0]),
  ]);
  expect(read(withRequestId(rawMessage(emptied), field, newId)).requestId).toBe("a new id");
});

test.each([
  ["a field cut short", Uint8Array.of(0x0a, 0x05, 0x41)],
  ["a tag of no field", Uint8Array.of(0x00)],
])("bytes that are no message stay as they are: %s", (_, bytes) => {
  const message = rawMessage(bytes);
  expect(withRequestId(message, field, newId)).toBe(message);
  expect(requestIdIn(message, field)).toBe("");
});
