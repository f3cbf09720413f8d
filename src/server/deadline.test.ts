import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { type CurrentCall, currentCall } from "../call/context.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { openPair } from "../testing/open-pair.ts";

const never = () => new Promise<never>(() => {});

/** A server whose GetUser and WatchOrder tell what they know of their call, at a clock that stands still. */
async function openTeller() {
  const clock = fakeClock();
  const seen: { current: CurrentCall | undefined; context: HandlerContext }[] = [];
  const look = (context: HandlerContext) => seen.push({ current: currentCall(), context });
  const pair = await openPair({
    clock,
    services: [
      [UserService, { getUser: async (_, context) => look(context) && {} }],
      [
        OrderService,
        {
          async *watchOrder(_, context) {
            look(context);
            yield {};
            await new Promise((resolve) => setImmediate(resolve));
            look(context);
          },
        },
      ],
    ],
  });
  return Object.assign(pair, { clock, seen });
}

test.each([
  ["what the caller asks for", { "grpc-timeout": "700m" }, 700],
  ["60 s at the most", { "grpc-timeout": "1H" }, 60_000],
  ["what the contract says where the caller asks for nothing", {}, 1_000],
])("a call may take %s", async (_, headers, timeoutMs) => {
  await using teller = await openTeller();
  await teller.users.getUser({ id: 1n }, { headers });
  expect(teller.seen[0]?.current?.deadlineAt).toBe(teller.clock.now() + timeoutMs);
  expect(teller.seen[0]?.context.timeoutMs()).toBeLessThanOrEqual(timeoutMs);
});

test.each([
  ["application/json", "connect-timeout-ms", "700", 700],
  ["application/json", "connect-timeout-ms", "9999999", 60_000],
  ["application/json", "x-none", "", 1_000],
])("over Connect too: %s with %s: %s", async (contentType, name, value, timeoutMs) => {
  await using teller = await openTeller();
  const headers = { "content-type": contentType, "connect-protocol-version": "1", [name]: value };
  const url = `${teller.origin}/shop.user.v1.UserService/GetUser`;
  await fetch(url, { method: "POST", headers, body: '{"id":"1"}' });
  expect(teller.seen[0]?.current?.deadlineAt).toBe(teller.clock.now() + timeoutMs);
});

test("a malformed timeout is the caller's mistake", async () => {
  await using teller = await openTeller();
  const call = teller.users.getUser({ id: 1n }, { headers: { "grpc-timeout": "soon" } });
  await expect(call).rejects.toMatchObject({ code: Code.InvalidArgument });
  expect(teller.seen).toEqual([]);
});

test("a stream without a deadline has none; one with a long deadline keeps it", async () => {
  await using teller = await openTeller();
  const orders = teller.client(OrderService);
  for await (const _ of orders.watchOrder({ id: "a" })) {
  }
  expect(teller.seen[0]?.current?.deadlineAt).toBeUndefined();
  for await (const _ of orders.watchOrder({ id: "a" }, { headers: { "grpc-timeout": "10M" } })) {
  }
  expect(teller.seen[2]?.current?.deadlineAt).toBe(teller.clock.now() + 600_000);
});

test("a handler knows its call's deadline, signal and trace, a streaming one after each message too", async () => {
  await using teller = await openTeller();
  const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=1" };
  await teller.users.getUser({ id: 1n }, { headers });
  for await (const _ of teller.client(OrderService).watchOrder({ id: "a" }, { headers })) {
  }
  expect(teller.seen).toHaveLength(3);
  for (const { current } of teller.seen) {
    expect(current).toMatchObject(headers);
    expect(current?.signal).toBeInstanceOf(AbortSignal);
  }
});

test("a unary call ends at its deadline though its handler ignores its signal", async () => {
  await using pair = await openPair({ services: [[UserService, { getUser: never }]] });
  const call = pair.users.getUser({ id: 1n }, { headers: { "grpc-timeout": "20m" } });
  await expect(call).rejects.toMatchObject({ code: Code.DeadlineExceeded });
});

test("a stream ends at its deadline though its handler ignores its signal", async () => {
  const watchOrder = async function* () {
    yield {};
    await never();
  };
  await using pair = await openPair({ services: [[OrderService, { watchOrder }]] });
  let messages = 0;
  const reading = async () => {
    const headers = { "grpc-timeout": "30m" };
    for await (const _ of pair.client(OrderService).watchOrder({ id: "a" }, { headers })) messages++;
  };
  await expect(reading()).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  expect(messages).toBe(1);
});

test("a caller that leaves aborts the handler's signal and that of its call, and a generator cleans up", async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const cleanedUp = vi.fn();
  await using pair = await openPair({
    services: [
      [
        UserService,
        {
          getUser: (_, { signal }) => {
            signals.push(signal, currentCall()?.signal);
            return never();
          },
        },
      ],
      [
        OrderService,
        {
          async *watchOrder(_, { signal }) {
            signals.push(signal, currentCall()?.signal);
            try {
              for (;;) {
                yield {};
                await new Promise((resolve) => setImmediate(resolve));
              }
            } finally {
              cleanedUp();
            }
          },
        },
      ],
    ],
  });
  const leave = new AbortController();
  const call = pair.users.getUser({ id: 1n }, { signal: leave.signal }).catch(ConnectError.from);
  const reading = (async () => {
    for await (const _ of pair.client(OrderService).watchOrder({ id: "a" }, { signal: leave.signal })) {
    }
  })().catch(ConnectError.from);
  await vi.waitFor(() => expect(signals).toHaveLength(4));
  leave.abort();
  expect(await call).toMatchObject({ code: Code.Canceled });
  expect(await reading).toMatchObject({ code: Code.Canceled });
  await vi.waitFor(() => expect(signals.map((signal) => signal?.aborted)).toEqual([true, true, true, true]));
  await vi.waitFor(() => expect(cleanedUp).toHaveBeenCalledTimes(1));
});
