import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { errorReason } from "../call/errors.ts";
import { away, type Fleet, hanging, live, named, openFleet, serving } from "../testing/fake-fleet.ts";
import type { Endpoint } from "./resolve/resolver.ts";

const create = (fleet: Fleet) =>
  fleet.once.createUser({ name: "Ada", email: "a@b.cd" }).then(({ user }) => user?.name, ConnectError.from);

/** How many of `times` calls went to each address. */
async function spread(fleet: Fleet, times: number): Promise<Record<string, number>> {
  fleet.asked.length = 0;
  for (let call = 0; call < times; call++) await create(fleet);
  const counts: Record<string, number> = {};
  for (const { address } of fleet.asked) counts[address] = (counts[address] ?? 0) + 1;
  return counts;
}

const three = () => ({ "a:1": named("Ada"), "b:1": named("Ben"), "c:1": named("Carol") });

test("by default calls go where they cost least: not where one fails, until that is forgotten", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada"), "b:1": away });
  while ((await create(fleet)) === "Ada");
  fleet.peers.set("b:1", named("Ben"));
  expect(await spread(fleet, 30)).toEqual({ "a:1": 30 });
  await fleet.clock.advance(30_000);
  expect(Object.keys(await spread(fleet, 30)).sort()).toEqual(["a:1", "b:1"]);
});

test("by default calls do not go where one has waited for long", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada"), "b:1": hanging });
  const leave = new AbortController();
  while (!fleet.asked.some(({ address }) => address === "b:1")) {
    void fleet.once.createUser({ name: "Ada", email: "a@b.cd" }, { signal: leave.signal }).catch(ConnectError.from);
    await fleet.clock.advance(1);
  }
  await fleet.clock.advance(200);
  expect(await spread(fleet, 30)).toEqual({ "a:1": 30 });
  leave.abort();
});

test("with round robin calls go round the endpoints", async () => {
  await using fleet = await openFleet(three(), { balance: "round-robin" });
  expect(await spread(fleet, 30)).toEqual({ "a:1": 10, "b:1": 10, "c:1": 10 });
});

test("an endpoint that is known already takes the share that it is given anew", async () => {
  await using fleet = await openFleet({ "a:1": named("Ada"), "b:1": named("Ben") }, { balance: "weighted" });
  await create(fleet);
  await fleet.clock.advance(60_000); // no newcomers any more
  const weights = (a: number, b: number) => {
    const [ada, ben] = live("a:1", "b:1").endpoints as [Endpoint, Endpoint];
    fleet.resolution.set({
      kind: "live",
      endpoints: [
        { ...ada, weight: a },
        { ...ben, weight: b },
      ],
    });
  };
  weights(100, 300);
  expect(await spread(fleet, 40)).toEqual({ "a:1": 10, "b:1": 30 });
  weights(100, 100);
  expect(await spread(fleet, 40)).toEqual({ "a:1": 20, "b:1": 20 });
});

test("with random each has about its share", async () => {
  await using fleet = await openFleet(three(), { balance: "random" });
  for (const count of Object.values(await spread(fleet, 300))) expect(count).toBeGreaterThan(70);
});

test("with least request an endpoint that hangs gets no more until its call has ended", async () => {
  await using fleet = await openFleet({ "a:1": hanging }, { balance: "least-request" });
  const leave = new AbortController();
  const hung = fleet.once
    .createUser({ name: "Ada", email: "a@b.cd" }, { signal: leave.signal })
    .catch(ConnectError.from);
  await vi.waitFor(() => expect(fleet.asked).toHaveLength(1));
  fleet.peers.set("a:1", named("Ada")).set("b:1", named("Ben"));
  fleet.resolution.set(live("a:1", "b:1"));
  expect(await spread(fleet, 10)).toEqual({ "b:1": 10 });
  leave.abort();
  await hung;
  expect(Object.keys(await spread(fleet, 20)).sort()).toEqual(["a:1", "b:1"]);
});

test("a stream counts as under way until it ends, is given up, or is left unread and aborted", async () => {
  const watchOrder = async function* () {
    yield {};
    await new Promise(() => {});
  };
  await using fleet = await openFleet({ "a:1": serving({}, { watchOrder }) }, { balance: "least-request" });
  const orders = fleet.mesh.client(OrderService);
  const leave = new AbortController();
  for await (const _ of orders.watchOrder({ id: "a" }, { signal: leave.signal })) break;
  fleet.peers.set("b:1", fleet.peers.get("a:1") ?? hanging);
  fleet.resolution.set(live("a:1", "b:1"));
  const goesTo = async () => {
    fleet.asked.length = 0;
    const own = new AbortController();
    for await (const _ of orders.watchOrder({ id: "a" }, { signal: own.signal })) break;
    own.abort();
    return fleet.asked[0]?.address;
  };
  for (let call = 0; call < 5; call++) expect(await goesTo()).toBe("b:1");
  leave.abort();
  const places = new Set<string | undefined>();
  for (let call = 0; call < 20; call++) places.add(await goesTo());
  expect(places).toEqual(new Set(["a:1", "b:1"]));
});

test("while nothing is known calls wait; they go as soon as something is", async () => {
  await using fleet = await openFleet(three());
  fleet.resolution.set({ kind: "pending" });
  const call = create(fleet);
  await fleet.clock.advance(1_000);
  expect(fleet.asked).toEqual([]);
  fleet.resolution.set(live("b:1"));
  expect(await call).toBe("Ben");
});

test("a call that waits in vain ends at its deadline", async () => {
  await using fleet = await openFleet({});
  fleet.resolution.set({ kind: "pending" });
  const call = create(fleet);
  await fleet.clock.advance(2_000);
  expect(await call).toMatchObject({ code: Code.DeadlineExceeded });
  expect([fleet.clock.pending, fleet.resolution.followers]).toEqual([0, 1]);
});

test("where nobody is registered the call fails well before its deadline, and says why", async () => {
  await using fleet = await openFleet({});
  const call = create(fleet);
  await fleet.clock.advance(400);
  const error = (await call) as ConnectError;
  expect(error).toMatchObject({ code: Code.Unavailable });
  expect(error.rawMessage).toContain("no endpoint of shop.user.v1.UserService is registered and healthy");
  expect(errorReason(error)).toMatchObject({
    reason: "NO_ENDPOINT",
    metadata: { service: "shop.user.v1.UserService" },
  });
  fleet.resolution.set({ kind: "last-known", endpoints: [], problem: "connection refused" });
  const again = create(fleet);
  await fleet.clock.advance(400);
  expect(((await again) as ConnectError).rawMessage).toContain("; discovery cannot be asked: connection refused");
});

test("the endpoints known last are called while discovery is away", async () => {
  await using fleet = await openFleet(three());
  fleet.resolution.set({ kind: "last-known", endpoints: [...live("c:1").endpoints], problem: "away" });
  expect(await create(fleet)).toBe("Carol");
});

test("an endpoint that fails 5 times in a row is left alone, and the error says where and for how long", async () => {
  await using fleet = await openFleet({ "a:1": away }, { random: () => 0 });
  for (let call = 0; call < 5; call++) expect(await create(fleet)).toMatchObject({ rawMessage: "away" });
  fleet.asked.length = 0;
  const error = (await create(fleet)) as ConnectError;
  expect(error).toMatchObject({
    code: Code.Unavailable,
    rawMessage: "circuit open for shop.user.v1.UserService/CreateUser at a:1, next try in 1 s (5 failures in a row)",
  });
  expect(errorReason(error)?.reason).toBe("CIRCUIT_OPEN");
  expect(fleet.asked).toEqual([]);
  expect(fleet.clock.sleeps).toEqual([]);

  fleet.peers.set("a:1", named("Ada"));
  await fleet.clock.advance(1_000);
  expect(await create(fleet)).toBe("Ada");
});

test("one endpoint's open circuit leaves the others to their turns; once it says it is well a single call tries it", async () => {
  await using fleet = await openFleet({ ...three(), "a:1": away }, { random: () => 0, balance: "round-robin" });
  await spread(fleet, 15);
  expect(await spread(fleet, 10)).toEqual({ "b:1": 5, "c:1": 5 });
  await fleet.clock.advance(1_000);
  expect(fleet.probed).toEqual(["a:1"]);
  expect(await spread(fleet, 10)).toEqual({ "b:1": 5, "c:1": 5 });
  fleet.peers.set("a:1", serving({ createUser: () => new Promise<never>(() => {}) }));
  await fleet.clock.advance(2_000);
  expect(fleet.probed).toEqual(["a:1", "a:1"]);
  fleet.asked.length = 0;
  const calls = Array.from({ length: 9 }, () => create(fleet));
  await vi.waitFor(() => expect(fleet.asked).toHaveLength(9));
  expect(fleet.asked.filter(({ address }) => address === "a:1")).toHaveLength(1);
  await fleet.clock.advance(2_000);
  await Promise.all(calls);
});

test("endpoints that stay keep their circuits and sessions when others come and go", async () => {
  await using fleet = await openFleet({ "a:1": away, "b:1": named("Ben") }, { random: () => 0 });
  await spread(fleet, 10);
  fleet.peers.set("c:1", named("Carol"));
  fleet.resolution.set(live("a:1", "c:1"));
  expect(await spread(fleet, 6)).toEqual({ "c:1": 6 });
  expect(Object.fromEntries(fleet.sessions)).toEqual({ "a:1": "open", "b:1": "retired", "c:1": "open" });
});

test("an instance that comes back at the same address under a new id begins with a closed circuit", async () => {
  await using fleet = await openFleet({ "a:1": away }, { random: () => 0 });
  await spread(fleet, 5);
  fleet.peers.set("a:1", named("Ada"));
  const [endpoint] = live("a:1").endpoints;
  if (endpoint) fleet.resolution.set({ kind: "live", endpoints: [{ ...endpoint, id: "another" }] });
  expect(await create(fleet)).toBe("Ada");
  expect(fleet.sessions.get("a:1")).toBe("open");
});

test("a mesh that is closed follows nothing, closes its sessions, and refuses calls", async () => {
  const fleet = await openFleet(three());
  await spread(fleet, 3);
  await fleet[Symbol.asyncDispose]();
  expect(fleet.resolution.followers).toBe(0);
  expect(new Set(fleet.sessions.values())).not.toContain("open");
  fleet.asked.length = 0;
  expect(await create(fleet)).toMatchObject({ code: Code.FailedPrecondition, rawMessage: "the mesh is closed" });
  expect(fleet.asked).toEqual([]);
});

test("hooks are told of each attempt, with its endpoint, and of the call", async () => {
  const told: unknown[] = [];
  const hooks = {
    callStarted: () => told.push("started"),
    attemptEnded: ({
      attempt,
      endpoint,
      code,
    }: {
      attempt: number;
      endpoint: { address: string };
      code?: Code | undefined;
    }) => told.push([attempt, endpoint.address, code]),
    callEnded: ({ code, durationMs }: { code?: Code | undefined; durationMs: number }) => told.push([code, durationMs]),
  };
  await using fleet = await openFleet({ "a:1": away, "b:1": named("Ben") }, { hooks, random: () => 0 });
  await fleet.users.getUser({ id: 1n });
  expect(told).toEqual(["started", [1, "a:1", Code.Unavailable], [2, "b:1", undefined], [undefined, 0]]);
});

test("a caller that gives up for a reason of its own is no failure of the endpoint", async () => {
  const codes: unknown[] = [];
  const hooks = { attemptEnded: ({ code }: { code?: Code | undefined }) => codes.push(code) };
  await using fleet = await openFleet({ "a:1": hanging }, { hooks });
  for (let call = 0; call < 10; call++) {
    const leave = new AbortController();
    const left = fleet.users.getUser({ id: 1n }, { signal: leave.signal }).catch(ConnectError.from);
    await vi.waitFor(() => expect(fleet.asked).toHaveLength(call + 1));
    leave.abort(new Error("bored"));
    await left;
  }
  await vi.waitFor(() => expect(codes).toEqual(Array(10).fill(Code.Canceled)));
  fleet.peers.set("a:1", named("Ada"));
  expect(await create(fleet)).toBe("Ada");
});

test("circuits are a method's own: one that fails leaves the others of the same endpoint alone", async () => {
  const createUser = () => Promise.reject(new ConnectError("away", Code.Unavailable));
  await using fleet = await openFleet({ "a:1": serving({ createUser, getUser: ({ id }) => ({ user: { id } }) }) });
  for (let call = 0; call < 5; call++) await create(fleet);
  expect(await create(fleet)).toMatchObject({ rawMessage: expect.stringContaining("circuit open") });
  expect(await fleet.users.getUser({ id: 1n })).toMatchObject({ user: { id: 1n } });
});

test("of two endpoints that both fail one is still asked, so that neither has to wait for the other", async () => {
  await using fleet = await openFleet({ "a:1": away, "b:1": away });
  expect(Object.keys(await spread(fleet, 30))).toHaveLength(2);
  fleet.asked.length = 0;
  for (let call = 0; call < 10; call++) expect(await create(fleet)).toMatchObject({ rawMessage: "away" });
  expect(fleet.asked).toHaveLength(10);
});

test("an endless stream that is answered proves its endpoint: the circuit closes while the stream goes on", async () => {
  const failing = () => Promise.reject(new ConnectError("away", Code.Unavailable));
  const broken = { [Symbol.asyncIterator]: () => ({ next: failing }) };
  await using fleet = await openFleet({ "a:1": serving({}, { watchOrder: () => broken }) }, { random: () => 0 });
  const orders = fleet.mesh.client(OrderService);
  const leave = new AbortController();
  const first = async () => {
    for await (const update of orders.watchOrder({ id: "a" }, { signal: leave.signal })) return update.order?.id;
    return "none";
  };
  for (let call = 0; call < 5; call++) await expect(first()).rejects.toMatchObject({ rawMessage: "away" });
  await expect(first()).rejects.toMatchObject({ rawMessage: expect.stringContaining("circuit open") });

  const watchOrder = async function* () {
    yield { order: { id: "a" } };
    await new Promise(() => {});
  };
  fleet.peers.set("a:1", serving({}, { watchOrder }));
  await fleet.clock.advance(1_000);
  expect(await first()).toBe("a");
  expect(await first()).toBe("a");
  leave.abort();
});
