import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { GetUserRequestSchema, UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { OutgoingCall, type OutgoingCallInit } from "./outgoing-call.ts";

const message = create(GetUserRequestSchema, { id: 1n });
const outgoing = (init: Partial<OutgoingCallInit> = {}) =>
  new OutgoingCall({ method: UserService.method.getUser, message, ...init });

test("the caller's fields go along in lower case; without any there are none", () => {
  expect(outgoing().fields).toEqual([]);
  expect(outgoing({ header: { "X-A": "1", "x-b": "2" } }).fields).toEqual(["x-a", "1", "x-b", "2"]);
});

test.each(["Content-Type", "te", "grpc-encoding", "grpc-accept-encoding", "content-length", "host", "connection"])(
  "%s is not the caller's to say",
  (name) => {
    expect(outgoing({ header: { [name]: "made-up", "x-a": "1" } }).fields).toEqual(["x-a", "1"]);
  },
);

test("the caller's Headers are not changed", () => {
  const header = new Headers({ te: "gzip", "x-a": "1" });
  outgoing({ header });
  expect([...header.keys()]).toEqual(["te", "x-a"]);
});

test("binary values under one name go apart", () => {
  const header = new Headers();
  for (const value of ["AQ", "Ag"]) header.append("x-bin", value);
  expect(outgoing({ header }).fields).toEqual(["x-bin", "AQ", "x-bin", "Ag"]);
});

test("it is canceled by its caller's signal, whether that aborts later or has already", () => {
  const leave = new AbortController();
  const before = outgoing({ signal: leave.signal });
  const why = new Error("enough");
  leave.abort(why);
  for (const call of [before, outgoing({ signal: leave.signal })]) {
    expect(call).toMatchObject({ aborted: true, reason: why });
  }
});

test("when its deadline passes it says which method, and how long it had", () => {
  const call = outgoing();
  call.allowedMs = 12.4;
  call.expire();
  expect(call.reason).toBeInstanceOf(ConnectError);
  expect(call.reason).toMatchObject({
    code: Code.DeadlineExceeded,
    rawMessage: "shop.user.v1.UserService/GetUser had 12 ms and needed more",
  });
});

test("a method that streams makes it a stream", () => {
  expect(outgoing().isStream).toBe(false);
  expect(outgoing({ method: OrderService.method.watchOrder }).isStream).toBe(true);
});
