import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { unavailable } from "../call/errors.ts";
import { away, broken, type Fleet, failing, hanging, named, openFleet, serving } from "../testing/fake-fleet.ts";

/** GetUser may be repeated: 3 attempts, 400 ms each, 1 s in all. CreateUser names itself: 2 s. */
const get = (fleet: Fleet) => settled(fleet.users.getUser({ id: 1n }));
const make = (fleet: Fleet) => settled(fleet.users.createUser({ name: "Ada", email: "a@b.cd" }));

/** The name of the one who answered, or the error. */
function settled(call: Promise<{ user?: { name: string } | undefined }>): Promise<string | ConnectError> {
  return call.then(({ user }) => user?.name ?? "", ConnectError.from);
}

/** Lets a call run to its end, however long it waits. */
async function atLeisure<T>({ clock }: Fleet, call: Promise<T>): Promise<T> {
  let over = false;
  const done = call.finally(() => {
    over = true;
  });
  done.catch(() => {}); // told below
  while (!over) await clock.advance(10);
  return done;
}

const addresses = (fleet: Fleet) => fleet.asked.map(({ address }) => address).sort();

test("a failed attempt goes to an endpoint not yet tried", async () => {
  await using fleet = await openFleet({ "a:1": away, "b:1": away, "c:1": named("Carol") });
  for (let call = 0; call < 10; call++) {
    fleet.asked.length = 0;
    expect(await atLeisure(fleet, get(fleet))).toBe("Carol");
    expect(new Set(addresses(fleet)).size).toBe(fleet.asked.length);
    await fleet.clock.advance(5_000);
  }
});

test("after the last attempt the error says how many there were, and keeps its code and details", async () => {
  const error = unavailable("away", { reason: "AWAY", domain: "made.v1" });
  await using fleet = await openFleet({ "a:1": failing(error) });
  const told = await atLeisure(fleet, get(fleet));
  expect(told).toMatchObject({ code: Code.Unavailable, rawMessage: "away (3 attempts)" });
  expect((told as ConnectError).details).toHaveLength(1);
  expect(fleet.asked).toHaveLength(3);
});

test("the server is told how many attempts came before", async () => {
  await using fleet = await openFleet({ "a:1": away });
  await atLeisure(fleet, get(fleet));
  const before = fleet.asked.map(({ header }) => header.get("grpc-previous-rpc-attempts"));
  expect(before).toEqual([null, "1", "2"]);
});

test("waits between attempts are jittered below 25 and 50 ms", async () => {
  await using fleet = await openFleet({ "a:1": away }, { random: () => 0.999 });
  await atLeisure(fleet, get(fleet));
  expect(fleet.clock.sleeps.map(Math.round)).toEqual([25, 50]);
});

test("what may have changed something, and does not name itself, is sent once; its error is told as it is", async () => {
  await using fleet = await openFleet({ "a:1": away, "b:1": away });
  expect(await settled(fleet.once.createUser({ name: "Ada", email: "a@b.cd" }))).toMatchObject({
    code: Code.Unavailable,
    rawMessage: "away",
  });
  expect(fleet.asked).toHaveLength(1);
});

test.each(["not-sent", "refused"] as const)("what was %s goes out again, whatever the method", async (progress) => {
  await using fleet = await openFleet({ "a:1": broken(progress), "b:1": broken(progress), "c:1": named("Carol") });
  for (let call = 0; call < 5; call++) expect(await atLeisure(fleet, make(fleet))).toBe("Carol");
});

test("an error of the caller is told at once", async () => {
  await using fleet = await openFleet({ "a:1": failing(new ConnectError("no such user", Code.NotFound)) });
  expect(await get(fleet)).toMatchObject({ code: Code.NotFound, rawMessage: "no such user" });
  expect(fleet.asked).toHaveLength(1);
});

test("pushback is waited for, a negative one is never", async () => {
  const busy = (pushback: string) =>
    failing(new ConnectError("busy", Code.ResourceExhausted, { "grpc-retry-pushback-ms": pushback }));
  await using fleet = await openFleet({ "a:1": busy("120") });
  expect(await atLeisure(fleet, get(fleet))).toMatchObject({ rawMessage: "busy (3 attempts)" });
  expect(fleet.clock.sleeps).toEqual([120, 120]);
  fleet.peers.set("a:1", busy("-1"));
  fleet.asked.length = 0;
  expect(await get(fleet)).toMatchObject({ rawMessage: "busy" });
  expect(fleet.asked).toHaveLength(1);
});

test("RetryInfo is waited for, unless the deadline comes first", async () => {
  const later = (retryAfterMs: number) => failing(unavailable("later", { reason: "R", domain: "d", retryAfterMs }));
  await using fleet = await openFleet({ "a:1": later(300) });
  await atLeisure(fleet, get(fleet));
  expect(fleet.clock.sleeps).toEqual([300, 300]);
  fleet.peers.set("a:1", later(1_000));
  expect(await get(fleet)).toMatchObject({ rawMessage: "later" });
});

test("when the budget is spent the error says so, and no further attempt is made", async () => {
  const many = Array.from({ length: 30 }, (_, index) => [`a:${index}`, away]); // so that no circuit opens
  await using fleet = await openFleet(Object.fromEntries(many), { random: () => 0 });
  const told: string[] = [];
  for (let call = 0; call < 20; call++) told.push(((await get(fleet)) as ConnectError).rawMessage);
  expect(told[0]).toBe("away (3 attempts)");
  expect(told.at(-2)).toBe("away (1 attempt; the retry budget is spent)");
  expect(fleet.asked).toHaveLength(20 + 30 + 0.2 * 20);
});

test("an attempt that takes more than its share ends, and the next goes elsewhere", async () => {
  await using fleet = await openFleet({ "a:1": hanging, "b:1": hanging, "c:1": named("Carol") });
  const call = get(fleet);
  await fleet.clock.advance(399);
  expect(fleet.asked).toHaveLength(1);
  expect(await atLeisure(fleet, call)).toBe("Carol");
  expect(new Set(addresses(fleet)).size).toBe(fleet.asked.length);
});

test("where every endpoint hangs, the call ends at its own deadline", async () => {
  await using fleet = await openFleet({ "a:1": hanging, "b:1": hanging });
  const before = fleet.clock.now();
  const error = await atLeisure(fleet, get(fleet));
  expect(error).toMatchObject({ code: Code.DeadlineExceeded, rawMessage: expect.stringContaining("had 1000 ms") });
  expect(fleet.clock.now() - before).toBeLessThanOrEqual(1_010);
  expect(fleet.asked).toHaveLength(3);
  expect(fleet.clock.pending).toBe(0);
});

test("a caller that gives up while an attempt waits ends the call at once", async () => {
  await using fleet = await openFleet({ "a:1": away }, { random: () => 0.999 });
  const leave = new AbortController();
  const call = settled(fleet.users.getUser({ id: 1n }, { signal: leave.signal }));
  await fleet.clock.advance(1);
  leave.abort();
  expect(await call).toMatchObject({ code: Code.Canceled });
  expect(fleet.clock.pending).toBe(1); // the one of all deadlines
  expect(fleet.asked).toHaveLength(1);
});

test("a stream goes out again if nothing of it was sent, and never once it was", async () => {
  const orders = async function* () {
    yield { order: { id: "a" } };
    throw new ConnectError("broke off", Code.Unavailable);
  };
  const peer = serving({}, { watchOrder: orders });
  await using fleet = await openFleet({ "a:1": broken("not-sent"), "b:1": broken("not-sent"), "c:1": peer });
  for (let call = 0; call < 3; call++) {
    const ids: unknown[] = [];
    const reading = (async () => {
      for await (const { order } of fleet.mesh.client(OrderService).watchOrder({ id: "a" })) ids.push(order?.id);
    })();
    await expect(atLeisure(fleet, reading)).rejects.toMatchObject({ rawMessage: "broke off" });
    expect(ids).toEqual(["a"]);
  }
});
