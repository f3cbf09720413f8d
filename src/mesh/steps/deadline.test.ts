import { getEventListeners } from "node:events";
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { runInCall } from "../../call/context.ts";
import { type Fleet, hanging, named, openFleet, serving } from "../../testing/fake-fleet.ts";

/** The deadlines, in milliseconds from now, that the peers were told. */
const told = (fleet: Fleet) => fleet.asked.map(({ header }) => header.get("grpc-timeout"));

/** CreateUser may take 2 s by its contract, and here has no share for a single attempt. */
const request = { name: "Ada", email: "a@b.cd" };
const create = (fleet: Fleet, timeoutMs?: number) =>
  fleet.once.createUser(request, timeoutMs === undefined ? {} : { timeoutMs });

test("a call may take what its contract says, or what its caller says instead", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") });
  await create(fleet);
  await create(fleet, 700);
  await create(fleet, 3_000);
  expect(told(fleet)).toEqual(["2000m", "700m", "3000m"]);
});

test.each([
  ["the parent's is sooner", 500, undefined, "500m"],
  ["its own is sooner", 5_000, undefined, "2000m"],
  ["the caller's is sooner", 1_000, 200, "200m"],
  ["the caller asks for more than the parent has", 1_000, 60_000, "1000m"],
])("on behalf of a call with a deadline, the sooner one counts: %s", async (_, parentMs, timeoutMs, header) => {
  await using fleet = await openFleet({ "a:1": named("Ada") });
  await runInCall({ deadlineAt: fleet.clock.now() + parentMs }, () => create(fleet, timeoutMs));
  expect(told(fleet)).toEqual([header]);
});

test("a stream without a deadline inherits its parent's, and has none without a parent", async () => {
  await using fleet = await openFleet({ "a:1": serving({}, { async *watchOrder() {} }) });
  const watch = async () => {
    for await (const _ of fleet.mesh.client(OrderService).watchOrder({ id: "a" })) {
    }
  };
  await watch();
  await runInCall({ deadlineAt: fleet.clock.now() + 500 }, watch);
  expect(told(fleet)).toEqual([null, "500m"]);
});

test.each([
  ["a deadline that has passed already", 0, undefined],
  ["no time at all", 1_000, 0],
])("a call with %s is not sent", async (_, parentMs, timeoutMs) => {
  await using fleet = await openFleet({ "a:1": named("Ada") });
  const call = runInCall({ deadlineAt: fleet.clock.now() + parentMs }, () => create(fleet, timeoutMs));
  await expect(call).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  expect(fleet.asked).toEqual([]);
});

test("a call ends at its deadline, though nobody answers; the error says how long it had", async () => {
  await using fleet = await openFleet({ "a:1": hanging });
  const call = create(fleet, 300).catch(ConnectError.from);
  await fleet.clock.advance(300);
  expect(await call).toMatchObject({
    code: Code.DeadlineExceeded,
    rawMessage: "shop.user.v1.UserService/CreateUser had 300 ms and needed more",
  });
  expect(fleet.clock.pending).toBe(0);
});

test("a call ends with the call on whose behalf it is made, and leaves it no listener", async () => {
  await using fleet = await openFleet({ "a:1": hanging });
  const parent = new AbortController();
  const reason = new ConnectError("the caller left", Code.Canceled);
  const call = runInCall({ signal: parent.signal }, () => create(fleet)).catch(ConnectError.from);
  await vi.waitFor(() => expect(fleet.asked).toHaveLength(1));
  fleet.peers.set("a:1", named("Ada"));
  await runInCall({ signal: parent.signal }, () => create(fleet));
  expect(getEventListeners(parent.signal, "abort")).toHaveLength(1); // of the first alone
  parent.abort(reason);
  expect(await call).toMatchObject({ code: Code.Canceled, rawMessage: "the caller left" });
  expect(getEventListeners(parent.signal, "abort")).toEqual([]);
  expect(fleet.clock.pending).toBe(1); // the one of all deadlines
});

test("a stream that breaks its deadline ends with it, between messages too", async () => {
  const watchOrder = async function* () {
    yield {};
    await new Promise(() => {});
  };
  await using fleet = await openFleet({ "a:1": serving({}, { watchOrder }) });
  let messages = 0;
  const reading = (async () => {
    const orders = fleet.mesh.client(OrderService).watchOrder({ id: "a" }, { timeoutMs: 60_000 });
    for await (const _ of orders) messages++;
  })().catch(ConnectError.from);
  await vi.waitFor(() => expect(messages).toBe(1));
  await fleet.clock.advance(60_000);
  expect(await reading).toMatchObject({ code: Code.DeadlineExceeded });
  expect(fleet.clock.pending).toBe(0);
});

test("context values given to several calls carry nothing from one to the next", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") });
  const contextValues = createContextValues();
  await fleet.once.createUser(request, { contextValues, timeoutMs: 100 });
  await fleet.clock.advance(1_000);
  await fleet.once.createUser(request, { contextValues });
  expect(told(fleet)).toEqual(["100m", "2000m"]);
});

test.each([
  ["before it began", "gone"],
  ["while it waits", "left"],
])("a caller that leaves %s is told CANCELED, whatever its reason was", async (_, reason) => {
  await using fleet = await openFleet({ "a:1": hanging });
  const leave = new AbortController();
  if (reason === "gone") leave.abort(reason);
  const call = fleet.once.createUser(request, { signal: leave.signal });
  leave.abort(reason);
  await expect(call).rejects.toMatchObject({ name: "ConnectError", code: Code.Canceled });
});

test("trace context travels on unless the call brings its own", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") });
  const parent = { traceparent: "00-aa-bb-01", tracestate: "x=1" };
  await runInCall(parent, () => create(fleet));
  await runInCall(parent, () => fleet.once.createUser(request, { headers: { traceparent: "00-cc-dd-01" } }));
  const traces = fleet.asked.map(({ header }) => [header.get("traceparent"), header.get("tracestate")]);
  expect(traces).toEqual([
    ["00-aa-bb-01", "x=1"],
    ["00-cc-dd-01", null],
  ]);
});

test("an invalid request costs nobody a call", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada") });
  await expect(fleet.users.getUser({ id: 0n })).rejects.toMatchObject({ code: Code.InvalidArgument });
  expect(fleet.asked).toEqual([]);
});
