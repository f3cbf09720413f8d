import type { JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { jsonLogger } from "../../base/log.ts";
import { errorReason } from "../../call/errors.ts";
import { away, type Fleet, named, openFleet, serving } from "../../testing/fake-fleet.ts";
import type { EndedAttempt } from "../hooks.ts";

/** GetUser may be repeated: 3 attempts, 400 ms each, 1 s in all. CreateUser names itself: 2 s. */
const get = ({ users }: Fleet) => users.getUser({ id: 1n });
const make = ({ users }: Fleet) => users.createUser({ name: "Ada", email: "a@b.cd" });

const plan = (...faults: JsonValue[]) => ({ faults });

/** A fleet whose calls meet these faults, and what its hooks heard of attempts. */
async function openFaulty(fault: JsonValue, names = ["Ada", "Bob"]) {
  const ended: EndedAttempt[] = [];
  const hooks = { attemptEnded: (attempt: EndedAttempt) => void ended.push(attempt) };
  const peers = names.map((name) => [`${name.toLowerCase()}:1`, named(name)] as const);
  const fleet = await openFleet(Object.fromEntries(peers), { faults: plan(fault), hooks, balance: "round-robin" });
  return { ...fleet, ended, [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose]() };
}

/** How a call ends, after `ms` at most. */
async function outcome<T>({ clock }: Fleet, call: Promise<T>, ms = 5_000): Promise<T | ConnectError> {
  const settled = call.catch(ConnectError.from);
  await clock.advance(ms);
  return settled;
}

test("an error is one that the server might have answered, with its code and what it says of asking again", async () => {
  const error = { code: "FAILED_PRECONDITION", message: "not today", retryDelay: "3s" };
  await using fleet = await openFaulty({ error });
  const told = (await outcome(fleet, get(fleet))) as ConnectError;
  expect(told).toMatchObject({ code: Code.FailedPrecondition, rawMessage: "not today (an injected fault)" });
  expect(errorReason(told)).toMatchObject({ reason: "FAULT_INJECTED", domain: "heddle" });
  expect(told.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds).toBe(3n);
  expect(fleet.asked).toEqual([]);
});

test("an error that does not say more is UNAVAILABLE, asked for again as any other", async () => {
  await using fleet = await openFaulty({ error: {} });
  const call = get(fleet);
  expect(await outcome(fleet, call)).toMatchObject({
    code: Code.Unavailable,
    rawMessage: "an error (an injected fault) (3 attempts)",
  });
  expect(fleet.ended.map(({ attempt, fault }) => [attempt, fault])).toEqual([
    [1, "error"],
    [2, "error"],
    [3, "error"],
  ]);
});

test("what may not be repeated is not repeated for a fault: it might have been acted on", async () => {
  for (const what of [{ error: {} }, { reset: {} }]) {
    await using fleet = await openFaulty(what);
    expect(await outcome(fleet, fleet.once.createUser({ name: "Ada", email: "a@b.cd" }))).toMatchObject({
      code: Code.Unavailable,
    });
    expect(fleet.ended).toHaveLength(1);
  }
});

test("an answer that is lost was given: what names itself is sent again, as the same request", async () => {
  await using fleet = await openFaulty({ lostAnswer: {}, endpoint: "ada:1" });
  for (let call = 0; call < 4; call++) {
    expect(await outcome(fleet, make(fleet))).toMatchObject({ user: { name: "Bob" } });
  }
  expect(fleet.asked.some(({ address }) => address === "ada:1")).toBe(true);
  expect(fleet.ended.some(({ code, fault }) => code === Code.Unavailable && fault === "lost answer")).toBe(true);
});

test("after a reset at one endpoint the other one answers", async () => {
  await using fleet = await openFaulty({ endpoint: "ada:1", reset: {} });
  for (let call = 0; call < 4; call++) {
    expect(await outcome(fleet, get(fleet))).toMatchObject({ user: { name: "Bob" } });
  }
  expect(fleet.asked.every(({ address }) => address === "bob:1")).toBe(true);
  expect(fleet.ended.some(({ code, fault }) => code === Code.Unavailable && fault === "reset")).toBe(true);
});

test("a delayed attempt is sent later, with the time that it has left", async () => {
  await using fleet = await openFaulty({ delay: "0.1s" });
  const call = get(fleet);
  await fleet.clock.advance(99);
  expect(fleet.asked).toEqual([]);
  await fleet.clock.advance(1);
  expect((await call).user?.id).toBe(1n);
  expect(fleet.asked[0]?.header.get("grpc-timeout")).toBe("300m");
  expect(fleet.ended).toMatchObject([{ code: undefined, durationMs: 100, fault: "delay" }]);
});

test("a delay longer than an attempt's time ends with that, and is never sent", async () => {
  await using fleet = await openFaulty({ delay: "10s" });
  const startedAt = fleet.clock.now();
  const call = get(fleet).catch((reason) => ({ reason, endedAt: fleet.clock.now() }));
  await fleet.clock.advance(20_000);
  expect(await call).toMatchObject({ reason: { code: Code.DeadlineExceeded }, endedAt: startedAt + 1_000 });
  expect(fleet.asked).toEqual([]);
  expect(fleet.ended[0]).toMatchObject({ code: Code.DeadlineExceeded, durationMs: 400 });
});

test("out of a black hole nothing comes until the attempt's time is over", async () => {
  await using fleet = await openFaulty({ endpoint: "ada:1", blackHole: {} });
  for (let call = 0; call < 4; call++) {
    expect(await outcome(fleet, get(fleet))).toMatchObject({ user: { name: "Bob" } });
  }
  const [lost] = fleet.ended.filter(({ fault }) => fault === "black hole");
  expect(lost).toMatchObject({ code: Code.DeadlineExceeded, durationMs: 400, endpoint: { address: "ada:1" } });
});

test("a call in a black hole ends when its caller leaves", async () => {
  await using fleet = await openFaulty({ blackHole: {} });
  const leaving = new AbortController();
  const call = fleet.users.createUser({ name: "Ada", email: "a@b.cd" }, { signal: leaving.signal });
  await fleet.clock.advance(10);
  leaving.abort();
  expect(await call.catch(ConnectError.from)).toMatchObject({ code: Code.Canceled });
});

test("an attempt is told from others by the headers that the mesh itself gives it, too", async () => {
  const repeats = { header: { name: "grpc-previous-rpc-attempts", value: "1" }, error: { code: "NOT_FOUND" } };
  await using fleet = await openFaulty(repeats);
  expect(await outcome(fleet, get(fleet))).toMatchObject({ user: { id: 1n } });
  fleet.peers.set("ada:1", away).set("bob:1", away);
  expect(await outcome(fleet, get(fleet))).toMatchObject({
    code: Code.NotFound,
    rawMessage: "an error (an injected fault) (2 attempts)",
  });
});

test("headers tell the calls apart that a game day is for", async () => {
  await using fleet = await openFaulty({ header: { name: "X-Game", value: "on" }, error: { code: "DATA_LOSS" } });
  const call = (game: string) => outcome(fleet, fleet.users.getUser({ id: 1n }, { headers: { "x-game": game } }));
  expect(await call("on")).toMatchObject({ code: Code.DataLoss });
  expect(await call("off")).toMatchObject({ user: { id: 1n } });
});

test("streams meet faults when they begin", async () => {
  const watchOrder = async function* () {
    yield { order: { id: "a" } };
  };
  await using fleet = await openFleet({ "a:1": serving({}, { watchOrder }) });
  const orders = fleet.mesh.client(OrderService);
  const read = async () => {
    const seen: string[] = [];
    for await (const { order } of orders.watchOrder({ id: "a" })) seen.push(order?.id ?? "");
    return seen;
  };
  fleet.mesh.faults.set(plan({ error: { code: "NOT_FOUND" } }));
  await expect(read()).rejects.toMatchObject({ code: Code.NotFound });
  fleet.mesh.faults.set(plan({ delay: "5s" }));
  const late = read();
  await fleet.clock.advance(4_999);
  expect(fleet.asked).toEqual([]);
  await fleet.clock.advance(1);
  expect(await late).toEqual(["a"]);
});

test("a circuit opens for injected errors as for any, and what is said of the call tells that they were", async () => {
  await using fleet = await openFaulty({ error: { message: "broken" } }, ["Ada"]);
  const first = get(fleet);
  await outcome(fleet, first);
  await outcome(fleet, get(fleet));
  expect(await outcome(fleet, get(fleet))).toMatchObject({ rawMessage: expect.stringContaining("circuit open") });
  const told = String((first as unknown as { explain(): unknown }).explain());
  expect(told).toContain("with an injected fault: error");
  expect(told).toContain("broken (an injected fault)");
});

test("an explanation names a fault that left no error behind", async () => {
  await using fleet = await openFaulty({ delay: "0.1s" });
  const call = fleet.mesh.client(UserService).getUser({ id: 1n });
  await outcome(fleet, call);
  expect(String(call.explain())).toContain("with an injected fault: delay");
});

test("a plan is changed and taken away while the mesh is open", async () => {
  await using fleet = await openFaulty({ error: { code: "NOT_FOUND" } });
  expect(await outcome(fleet, get(fleet))).toMatchObject({ code: Code.NotFound });
  fleet.mesh.faults.set(plan({ error: { code: "INTERNAL" } }));
  expect(await outcome(fleet, get(fleet))).toMatchObject({ code: Code.Internal });
  expect(() => fleet.mesh.faults.set(plan({}))).toThrow("faults[0]");
  expect(await outcome(fleet, get(fleet))).toMatchObject({ code: Code.Internal });
  fleet.mesh.faults.clear();
  expect(await outcome(fleet, get(fleet))).toMatchObject({ user: { id: 1n } });
  expect(fleet.ended.at(-1)?.fault).toBeUndefined();
});

test("a method that its service has not is told of when the service is first called, once", async () => {
  const lines: string[] = [];
  const log = jsonLogger({ level: "warn", write: (line) => lines.push(line) });
  const faults = plan({ service: UserService.typeName, method: "GetUsr", reset: {} }, { method: "Other", reset: {} });
  await using fleet = await openFleet({ "a:1": named("Ada") }, { faults, log });
  expect(lines).toEqual([]);
  await outcome(fleet, get(fleet));
  await outcome(fleet, make(fleet));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('"method":"GetUsr"');
});
