import { Code, ConnectError } from "@connectrpc/connect";
import { expect, type Mock, test, vi } from "vitest";
import { RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { Health } from "../../../gen/grpc/health/v1/health_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import type { LoopReading } from "../../base/loop-load.ts";
import { errorReason } from "../../call/errors.ts";
import { type FakeClock, fakeClock } from "../../testing/fake-clock.ts";
import { openPair, type Pair } from "../../testing/open-pair.ts";
import type { ServedCall } from "../hooks.ts";
import type { LimitOptions } from "./shed.ts";

interface Shop extends Pair {
  readonly clock: FakeClock;
  /** Says from now on how busy the loop is. */
  readonly loop: { now: LoopReading };
  readonly getUser: Mock<(request: { id: bigint }) => unknown>;
  readonly ended: ServedCall[];
}

const idle = { utilization: 0, delayMs: 0 };

async function openShop(limits: LimitOptions | false | "unsaid" = {}): Promise<Shop> {
  const clock = fakeClock();
  const loop = { now: idle };
  const ended: ServedCall[] = [];
  const getUser = vi.fn(({ id }: { id: bigint }): unknown => ({ user: { id } }));
  const watchOrder = async function* () {};
  const pair = await openPair({
    services: [
      [UserService, { getUser: (request) => getUser(request) as object }],
      [OrderService, { watchOrder }],
    ],
    clock,
    hooks: { callEnded: (call) => ended.push(call) },
    ...(limits === "unsaid" ? {} : { limits, loop: () => ({ read: () => loop.now }) }),
  });
  return { ...pair, clock, loop, getUser, ended };
}

/** Makes the loop so slow, for so long, that nearly everybody has to be refused. */
async function overload(shop: Shop): Promise<void> {
  shop.loop.now = { utilization: 1, delayMs: 900 };
  for (let look = 0; look < 40; look++) {
    await shop.clock.advance(100);
    await shop.users.getUser({ id: 1n }).catch(() => {});
  }
  shop.getUser.mockClear();
  shop.ended.length = 0;
}

const refusalOf = (call: Promise<unknown>) => call.then(() => undefined, ConnectError.from);

test("an overloaded server refuses calls with RESOURCE_EXHAUSTED, says why and when to ask again, and asks no handler", async () => {
  await using shop = await openShop();
  await overload(shop);
  const refused = await refusalOf(shop.users.getUser({ id: 1n }));
  expect(refused?.code).toBe(Code.ResourceExhausted);
  expect(refused?.rawMessage).toBe("the server is overloaded: what arrives waits 900 ms until it is looked at");
  expect(refused && errorReason(refused)).toMatchObject({
    reason: "OVERLOADED",
    domain: "heddle",
    metadata: { limit: "event-loop-delay", delay_ms: "900" },
  });
  expect(refused?.findDetails(RetryInfoSchema)[0]?.retryDelay).toMatchObject({ seconds: 0n, nanos: 900_000_000 });
  expect(shop.getUser).not.toHaveBeenCalled();
});

test("hooks are told of a refused call as of any other, and that it was shed", async () => {
  await using shop = await openShop();
  await overload(shop);
  await refusalOf(shop.users.getUser({ id: 1n }));
  expect(shop.ended).toEqual([
    { method: UserService.method.getUser, code: Code.ResourceExhausted, durationMs: 0, shed: true },
  ]);
});

test.each([
  ["Connect", "/shop.user.v1.UserService/GetUser", { code: "resource_exhausted" }],
  ["REST", "/v1/users/1", { code: 8 }],
])("over %s too", async (_, path, told) => {
  await using shop = await openShop();
  await overload(shop);
  const json = { method: "POST", headers: { "content-type": "application/json" }, body: '{"id":"1"}' };
  const answers = [];
  for (let i = 0; i < 2; i++) {
    const answer = await fetch(`${shop.origin}${path}`, path.startsWith("/v1") ? {} : json);
    answers.push([answer.status, await answer.json()]);
  }
  for (const answer of answers) expect(answer).toEqual([429, expect.objectContaining(told)]);
  expect(shop.getUser).not.toHaveBeenCalled();
  expect(shop.ended.every(({ shed }) => shed)).toBe(true);
});

test("a call is refused before its request is looked at: one that is wrong is not even found to be", async () => {
  await using shop = await openShop();
  const wrong = () => refusalOf(shop.users.getUser({ id: 0n })); // no such id may be
  expect((await wrong())?.code).toBe(Code.InvalidArgument);
  await overload(shop);
  expect((await wrong())?.code).toBe(Code.ResourceExhausted);
});

test("retries are refused before first attempts, and what matters less before what matters more", async () => {
  await using shop = await openShop();
  shop.loop.now = { utilization: 1, delayMs: 300 };
  const answered = new Map<string, number>();
  const kinds: Readonly<Record<string, HeadersInit>> = {
    "sheddable again": { "heddle-criticality": "sheddable", "grpc-previous-rpc-attempts": "1" },
    sheddable: { "heddle-criticality": "sheddable" },
    "again above": { "heddle-retry-depth": "1" },
    normal: {},
  };
  for (let look = 0; look < 30; look++) {
    await shop.clock.advance(100);
    for (const [kind, headers] of Object.entries(kinds)) {
      const refused = await refusalOf(shop.users.getUser({ id: 1n }, { headers }));
      if (refused === undefined) answered.set(kind, (answered.get(kind) ?? 0) + 1);
    }
  }
  const counts = Object.keys(kinds).map((kind) => answered.get(kind) ?? 0);
  expect(counts).toEqual([...counts].sort((a, b) => a - b));
  expect(counts[0]).toBeLessThan(counts[2] as number);
  expect(counts[3]).toBe(30);
});

test("who asks how the server is hears it, and streams are not refused", async () => {
  await using shop = await openShop();
  await overload(shop);
  await expect(shop.client(Health).check({})).resolves.toMatchObject({ status: 1 });
  for await (const _ of shop.client(OrderService).watchOrder({ id: "a" })) {
  }
  expect(shop.ended.map(({ code }) => code)).toEqual([undefined, undefined]);
});

test("when the overload is over everybody is let in again", async () => {
  await using shop = await openShop();
  await overload(shop);
  shop.loop.now = idle;
  for (let look = 0; look < 30; look++) {
    await shop.clock.advance(100);
    await refusalOf(shop.users.getUser({ id: 1n }));
  }
  shop.ended.length = 0;
  for (let i = 0; i < 20; i++) await shop.users.getUser({ id: 1n });
});

test("handlers that keep calls waiting have a limit, and the calls beyond it are refused", async () => {
  await using shop = await openShop();
  const { clock } = shop;
  let takesMs = 50;
  shop.getUser.mockImplementation(async ({ id }) => {
    await clock.sleep(takesMs);
    return { user: { id } };
  });
  const calls = (count: number) => Array.from({ length: count }, () => refusalOf(shop.users.getUser({ id: 1n })));
  const round = async (count: number) => {
    const all = calls(count);
    await vi.waitUntil(() => shop.getUser.mock.calls.length >= count);
    await clock.advance(600);
    shop.getUser.mockClear();
    return Promise.all(all);
  };
  expect(await round(100)).toEqual(Array(100).fill(undefined));
  takesMs = 500;
  expect(await round(100)).toEqual(Array(100).fill(undefined));
  const all = calls(60);
  await vi.waitUntil(() => shop.ended.filter(({ shed }) => shed).length >= 30);
  await clock.advance(600);
  const refused = (await Promise.all(all)).filter((error) => error !== undefined);
  expect(refused.length).toBeGreaterThan(30);
  expect(refused.length).toBeLessThan(60);
  expect(refused[0] && errorReason(refused[0])).toMatchObject({
    reason: "OVERLOADED",
    metadata: { limit: "in-flight" },
  });
});

test("errors that come sooner than answers do not make these look slow", async () => {
  await using shop = await openShop();
  const { clock } = shop;
  shop.getUser.mockImplementation(() => {
    throw new ConnectError("nobody", Code.NotFound);
  });
  for (let i = 0; i < 50; i++) await refusalOf(shop.users.getUser({ id: 1n }));
  await clock.advance(600);
  shop.getUser.mockImplementation(({ id }) => clock.sleep(250).then(() => ({ user: { id } })));
  for (let round = 0; round < 4; round++) {
    shop.getUser.mockClear();
    const all = Array.from({ length: 60 }, () => refusalOf(shop.users.getUser({ id: 1n })));
    await vi.waitUntil(() => shop.getUser.mock.calls.length === 60);
    await clock.advance(600);
    expect(await Promise.all(all)).toEqual(Array(60).fill(undefined));
  }
});

test("a server that is told to sheds nobody; nor does one on a clock of its own that nobody has told of its load", async () => {
  for (const limits of [false, "unsaid"] as const) {
    await using shop = await openShop(limits);
    await overload(shop);
    expect(await refusalOf(shop.users.getUser({ id: 1n }))).toBeUndefined();
  }
});

test("128 callers at once, each with the next call as soon as one is answered, are all answered", async () => {
  await using pair = await openPair({ services: [[UserService, { getUser: ({ id }) => ({ user: { id } }) }]] });
  const caller = async () => {
    for (let i = 0; i < 40; i++) await pair.users.getUser({ id: 1n });
  };
  await Promise.all(Array.from({ length: 128 }, caller));
});
