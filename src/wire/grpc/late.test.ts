import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { orLate } from "./late.ts";

const attempt = (timeoutMs?: number) => ({ method: OrderService.method.getOrder, timeoutMs });
const reset = new ConnectError("the stream was reset", Code.Canceled);

test("a server that cancels when a call's time is over has let its deadline pass", () => {
  expect(orLate(reset, attempt(200.9), 200)).toMatchObject({ code: Code.DeadlineExceeded });
});

test.each<[what: string, reason: unknown, timeoutMs: number | undefined]>([
  ["before the time is over", reset, 60_000],
  ["of a call that has all the time there is", reset, undefined],
  ["with another code", new ConnectError("no", Code.Aborted), 200],
  ["that is no status", new Error("no"), 200],
])("what ends a call %s is left as it is", (_, reason, timeoutMs) => {
  expect(orLate(reason, attempt(timeoutMs), 200)).toBe(reason);
});
