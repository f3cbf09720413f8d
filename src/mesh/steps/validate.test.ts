import { create } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { CreateUserRequestSchema, UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { OutgoingCall } from "../../call/outgoing-call.ts";
import { validate } from "./validate.ts";

const message = create(CreateUserRequestSchema, { name: "", email: "nobody" });
const { createUser: method } = UserService.method;

function sent(isRaw: boolean): boolean {
  let isSent = false;
  const step = validate()(() => {
    isSent = true;
    return Promise.reject(new Error("nobody answers"));
  });
  step(new OutgoingCall({ method, message, isRaw })).catch(() => {});
  return isSent;
}

test("a request that breaks its contract is refused before it is sent", () => {
  expect(() => sent(false)).toThrow(ConnectError);
});

test("who passes a call on leaves its request to the service to check", () => {
  expect(sent(true)).toBe(true);
});
