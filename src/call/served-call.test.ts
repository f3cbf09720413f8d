import { Code, ConnectError, createContextKey } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { ServedCall, type ServedCallInit } from "./served-call.ts";

const fields = [":method", "POST", ":scheme", "https", ":path", "/a.B/C", ":authority", "here:1", "x-a", "1"];

function served(init: Partial<ServedCallInit> = {}) {
  const clock = fakeClock();
  const known = { method: UserService.method.getUser, protocolName: "grpc", requestMethod: "POST", header: fields };
  return {
    clock,
    call: new ServedCall({ ...known, deadlineAt: undefined, arrivedAt: clock.now(), now: clock.now, ...init }),
  };
}

test("it knows its method, service, and whether messages come one after the other", () => {
  expect(served().call).toMatchObject({ service: UserService, isStream: false, protocolName: "grpc" });
  expect(served({ method: OrderService.method.watchOrder }).call.isStream).toBe(true);
});

test("what is left of its time runs down, also where the function was taken off; without a deadline there is none", async () => {
  const { clock } = served();
  const { call } = served({ deadlineAt: clock.now() + 100, now: clock.now });
  const { timeoutMs } = call;
  expect(timeoutMs()).toBe(100);
  await clock.advance(30);
  expect(timeoutMs()).toBe(70);
  expect(served().call.timeoutMs()).toBeUndefined();
});

test("its URL is made of the fields, or the one it was given", () => {
  expect(served().call.url).toBe("https://here:1/a.B/C");
  const old = fields.filter((_, i) => i !== 6 && i !== 7);
  expect(served({ header: [...old, "host", "there"] }).call.url).toBe("https://there/a.B/C");
  expect(served({ url: "http://x/y" }).call.url).toBe("http://x/y");
});

test("Headers are made when they are asked for, and stay the same ones", () => {
  const { call } = served();
  expect(call.madeResponseHeader).toBeUndefined();
  expect(call.madeResponseTrailer).toBeUndefined();
  call.responseHeader.set("x-b", "2");
  call.responseTrailer.set("x-c", "3");
  expect(call.madeResponseHeader?.get("x-b")).toBe("2");
  expect(call.madeResponseTrailer?.get("x-c")).toBe("3");
  expect(call.requestHeader).toBe(call.requestHeader);
  expect([...call.requestHeader]).toEqual([["x-a", "1"]]);
});

test("one field is found without Headers, and what was changed in Headers is what counts", () => {
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const { call } = served({ header: [...fields, "traceparent", trace] });
  expect(call.requestField("x-a")).toBe("1");
  expect(call.requestField("x-none")).toBeUndefined();
  expect(call).toMatchObject({ traceparent: trace, tracestate: undefined });
  call.requestHeader.set("x-a", "changed");
  expect(call.requestField("x-a")).toBe("changed");
  expect(served({ header: new Headers({ "X-A": "1" }) }).call.requestField("x-a")).toBe("1");
});

test("how much it matters, which attempt it is and how deep come from the request, or are as for a first call", () => {
  const { call } = served({
    header: [...fields, "heddle-criticality", "sheddable", "grpc-previous-rpc-attempts", "2"],
  });
  expect(call).toMatchObject({ criticality: "sheddable", attempt: 3, retryDepth: 1 });
  const deeper = served({ header: [...fields, "heddle-retry-depth", "2"] }).call;
  expect(deeper).toMatchObject({ criticality: "normal", attempt: 1, retryDepth: 2 });
  expect(served().call).toMatchObject({ criticality: "normal", attempt: 1, retryDepth: 0 });
});

test("a trace that was started for it counts from then on; the request's Headers stay as they came", () => {
  const { call } = served({ header: [...fields, "tracestate", "of=nothing"] });
  call.traceparent = "00-started";
  expect(call).toMatchObject({ traceparent: "00-started", tracestate: undefined });
  expect(call.requestHeader.get("traceparent")).toBeNull();
});

test("values are its own: one call's never reach another", () => {
  const key = createContextKey("default");
  const [first, second] = [served().call, served().call];
  first.values.set(key, "mine");
  expect(first.values.get(key)).toBe("mine");
  expect(second.values.get(key)).toBe("default");
});

test("its signal aborts when it is canceled, with the reason", () => {
  const { call } = served();
  const { signal } = call;
  const late = new ConnectError("late", Code.DeadlineExceeded);
  call.cancel(late);
  expect(signal).toMatchObject({ aborted: true, reason: late });
});
