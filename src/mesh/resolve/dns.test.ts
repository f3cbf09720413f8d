import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { jsonLogger, silentLogger } from "../../base/log.ts";
import { currentCall, runInCall } from "../../call/context.ts";
import { openDnsServer } from "../../testing/dns-server.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { openTestServer } from "../../testing/open-server.ts";
import { openMesh } from "../mesh.ts";
import { dnsResolver } from "./dns.ts";
import { dnsLookup } from "./dns-lookup.ts";
import type { Resolution } from "./resolver.ts";

const service = UserService.typeName;

/** What is known, in a word. */
const said = (resolution: Resolution) =>
  resolution.kind === "pending" ? "pending" : `${resolution.kind} ${resolution.endpoints.map(({ id }) => id).join()}`;

/** A resolver whose DNS is a function: of the addresses of `users`, or of what is wrong with it. */
function openResolver(first: () => Promise<readonly string[]>, random = () => 0.5) {
  const clock = fakeClock();
  const dns = { answer: first, asked: [] as number[] };
  const startedAt = clock.now();
  const lookup = {
    addresses(): Promise<readonly string[]> {
      dns.asked.push(clock.now() - startedAt);
      return dns.answer();
    },
    services: async () => [],
  };
  const lines: string[] = [];
  const log = jsonLogger({ level: "warn", write: (line) => lines.push(line) });
  const resolver = dnsResolver({ names: { [service]: "users:80" }, lookup, clock, random, log });
  const close = () => resolver[Symbol.asyncDispose]();
  return { resolver, clock, dns, lines, [Symbol.asyncDispose]: close };
}

const answering =
  (...addresses: string[]) =>
  async () =>
    addresses;
const failing = (message: string) => () => Promise.reject(new Error(message));
const silent = () => new Promise<never>(() => {});

test("a name is looked up when its service is first asked for, and again every 30 s", async () => {
  await using opened = openResolver(answering("10.0.0.1"));
  const { resolver, clock, dns } = opened;
  await clock.advance(100);
  expect(dns.asked).toEqual([]);
  const followed = resolver.resolve(service);
  expect(resolver.resolve(service)).toBe(followed);
  expect(said(followed.value)).toBe("pending");
  await clock.advance(0);
  expect(said(followed.value)).toBe("live 10.0.0.1:80");
  dns.answer = answering("10.0.0.1", "10.0.0.2");
  await clock.advance(29_999);
  expect(dns.asked).toHaveLength(1);
  await clock.advance(1);
  expect(said(followed.value)).toBe("live 10.0.0.1:80,10.0.0.2:80");
  expect(dns.asked).toEqual([100, 30_100]);
});

test("the dice move each turn by a tenth, so that not all clients ask at once", async () => {
  const dice = [0, 0.999];
  await using opened = openResolver(answering("10.0.0.1"), () => dice.shift() ?? 0.5);
  opened.resolver.resolve(service);
  await opened.clock.advance(60_000);
  expect(opened.dns.asked.map(Math.round)).toEqual([0, 27_000, 59_994]);
});

test("an answer that is as it was is no news", async () => {
  await using opened = openResolver(answering("10.0.0.2", "10.0.0.1"));
  const followed = opened.resolver.resolve(service);
  let news = 0;
  followed.subscribe(() => news++);
  await opened.clock.advance(0);
  opened.dns.answer = answering("10.0.0.1", "10.0.0.2");
  await opened.clock.advance(90_000);
  expect([opened.dns.asked.length, news]).toEqual([4, 1]);
});

test("the last good answer stays while a name cannot be looked up, which is tried ever more seldom", async () => {
  await using opened = openResolver(answering("10.0.0.1"));
  const { resolver, clock, dns, lines } = opened;
  const followed = resolver.resolve(service);
  await clock.advance(0);
  dns.answer = failing("SERVFAIL users");
  await clock.advance(100_000);
  expect(followed.value).toMatchObject({ kind: "last-known", problem: "SERVFAIL users" });
  expect(said(followed.value)).toBe("last-known 10.0.0.1:80");
  expect(dns.asked).toEqual([0, 30_000, 31_000, 33_000, 37_000, 45_000, 61_000, 91_000]);
  expect(lines).toHaveLength(1);
  dns.answer = answering("10.0.0.2");
  await clock.advance(30_000);
  expect(said(followed.value)).toBe("live 10.0.0.2:80");
  dns.answer = failing("SERVFAIL users");
  await clock.advance(25_000);
  expect(dns.asked.slice(-3)).toEqual([151_000, 152_000, 154_000]); // as after the first failure
  expect(lines).toHaveLength(2);
});

test("an empty answer is a problem, not an order to forget everyone", async () => {
  await using opened = openResolver(answering("10.0.0.1"));
  const followed = opened.resolver.resolve(service);
  await opened.clock.advance(0);
  opened.dns.answer = answering();
  await opened.clock.advance(30_000);
  expect(said(followed.value)).toBe("last-known 10.0.0.1:80");
  expect(followed.value).toMatchObject({ problem: "users has no address" });
});

test("where there never was an answer nobody is known, rather than waited for", async () => {
  await using opened = openResolver(failing("ENOTFOUND users"));
  const followed = opened.resolver.resolve(service);
  await opened.clock.advance(0);
  expect(followed.value).toEqual({ kind: "last-known", endpoints: [], problem: "ENOTFOUND users" });
});

test("a lookup that takes more than 5 s has failed, and what it says after all is not heard", async () => {
  await using opened = openResolver(silent);
  const { resolver, clock, dns } = opened;
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  dns.answer = () => promise;
  const followed = resolver.resolve(service);
  await clock.advance(4_999);
  expect(said(followed.value)).toBe("pending");
  await clock.advance(1);
  expect(followed.value).toMatchObject({ kind: "last-known", problem: expect.stringContaining("5000 ms") });
  dns.answer = answering("10.0.0.2");
  await clock.advance(1_000);
  resolve(["10.0.0.1"]);
  await clock.advance(0);
  expect(said(followed.value)).toBe("live 10.0.0.2:80");
});

test("after a failed connection the name is looked up again, at most once a second", async () => {
  await using opened = openResolver(answering("10.0.0.1"));
  const { resolver, clock, dns } = opened;
  resolver.lookAgain?.(service); // nobody follows it: nothing to look up
  resolver.resolve(service);
  resolver.lookAgain?.(service); // being looked up already
  await clock.advance(100);
  for (let times = 0; times < 5; times++) resolver.lookAgain?.(service);
  await clock.advance(4_900);
  expect(dns.asked).toEqual([0, 1_000]);
  resolver.lookAgain?.(service);
  await clock.advance(0);
  expect(dns.asked).toEqual([0, 1_000, 5_000]);
  resolver.lookAgain?.("another.Service");
  await clock.advance(29_999);
  expect(dns.asked).toHaveLength(3);
});

test("a failed connection does not put off what is due sooner anyway", async () => {
  await using opened = openResolver(failing("SERVFAIL users"), () => 0);
  opened.resolver.resolve(service);
  await opened.clock.advance(10);
  opened.resolver.lookAgain?.(service);
  await opened.clock.advance(890);
  expect(opened.dns.asked).toEqual([0, 900]);
});

test("closing leaves no timer, whether it waits or asks, and asks nothing any more", async () => {
  for (const answer of [answering("10.0.0.1"), silent]) {
    const opened = openResolver(answer);
    const followed = opened.resolver.resolve(service);
    await opened.clock.advance(10);
    expect(opened.clock.pending).toBe(1);
    await opened[Symbol.asyncDispose]();
    expect(opened.clock.pending).toBe(0);
    opened.resolver.lookAgain?.(service);
    expect(opened.resolver.resolve(service)).toBe(followed);
    await opened.clock.advance(60_000);
    expect([opened.dns.asked.length, opened.clock.pending]).toEqual([1, 0]);
  }
});

test("a service that is first asked for after closing is not looked up", async () => {
  const opened = openResolver(answering("10.0.0.1"));
  await opened[Symbol.asyncDispose]();
  opened.resolver.resolve(service);
  expect([opened.dns.asked.length, opened.clock.pending]).toEqual([0, 0]);
});

test("an answer that comes after closing changes nothing", async () => {
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  const opened = openResolver(() => promise);
  const followed = opened.resolver.resolve(service);
  await opened[Symbol.asyncDispose]();
  resolve(["10.0.0.1"]);
  await opened.clock.advance(0);
  expect([said(followed.value), opened.clock.pending]).toEqual(["pending", 0]);
});

test("a service without a name has no endpoints, and a name that is none is refused with its service", async () => {
  await using opened = openResolver(silent);
  expect(opened.resolver.resolve("another.Service").value).toEqual({ kind: "live", endpoints: [] });
  expect(() => dnsResolver({ names: { "a.B": "c d" } })).toThrow('a.B: "c d" is no name');
});

test("a lookup that a call happens to start does not inherit the call", async () => {
  const seen: unknown[] = [];
  await using opened = openResolver(async () => {
    seen.push(currentCall());
    return ["10.0.0.1"];
  });
  const { resolver, clock } = opened;
  runInCall({ deadlineAt: clock.now() + 10, signal: new AbortController().signal }, () => resolver.resolve(service));
  await clock.advance(30_000);
  expect(seen).toEqual([undefined, undefined]);
});

test("a real DNS server is asked for addresses, and for where services listen", async () => {
  await using dns = await openDnsServer({
    "users.internal": { a: ["10.0.0.2", "10.0.0.1"] },
    "_grpc._tcp.orders.internal": {
      srv: [
        { name: "one.internal", port: 8002, weight: 10 },
        { name: "two.internal", port: 8012, weight: 30 },
        { name: "spare.internal", port: 9000, priority: 1 },
      ],
    },
    "one.internal": { a: ["10.0.1.1"] },
    "two.internal": { a: ["10.0.1.2"] },
    "spare.internal": { a: ["10.0.1.9"] },
    "empty.internal": {},
  });
  const names = {
    users: "users.internal:8001",
    orders: "orders.internal",
    gone: "gone.internal:1",
    empty: "empty.internal:1",
  };
  await using resolver = dnsResolver({ names, lookup: dnsLookup([dns.address]), log: silentLogger });
  const first = (name: string) => resolver.resolve(name).until(({ kind }) => kind !== "pending");
  expect(said(await first("users"))).toBe("live 10.0.0.1:8001,10.0.0.2:8001");
  expect(await first("orders")).toMatchObject({
    endpoints: [
      { address: "10.0.1.1:8002", name: "one.internal", weight: 50 },
      { address: "10.0.1.2:8012", name: "two.internal", weight: 150 },
    ],
  });
  expect(await first("gone")).toMatchObject({ kind: "last-known", problem: expect.stringContaining("ENOTFOUND") });
  expect(await first("empty")).toMatchObject({ kind: "last-known", problem: expect.stringContaining("ENODATA") });
  expect(dns.asked).toEqual(
    expect.arrayContaining(["A users.internal", "AAAA users.internal", "SRV _grpc._tcp.orders.internal"]),
  );
});

test("the machine's own rules find its own name", async () => {
  expect(await dnsLookup().addresses("localhost")).toContain("127.0.0.1");
  expect(await dnsLookup(["127.0.0.1:9"]).addresses("10.0.0.1")).toEqual(["10.0.0.1"]);
});

test("calls find a server by its name, and after it has moved by the name's new address", async () => {
  const users = (name: string) => ({ getUser: ({ id }: { id: bigint }) => ({ user: { id, name } }) });
  await using before = await openTestServer([[UserService, users("before")]]);
  await using after = await openTestServer([[UserService, users("after")]]);
  const at = (port: number) => ({ srv: [{ name: "host.internal", port }] });
  await using dns = await openDnsServer({
    "_grpc._tcp.users.internal": at(before.port),
    "host.internal": { a: ["127.0.0.1"] },
  });
  const names = { [service]: "users.internal" };
  const resolver = dnsResolver({ names, lookup: dnsLookup([dns.address]), log: silentLogger });
  await using mesh = await openMesh({ resolver, log: silentLogger });
  const client = mesh.client(UserService);
  const ask = async () => (await client.getUser({ id: 1n }).catch(ConnectError.from)) as { user?: { name: string } };
  expect((await ask()).user?.name).toBe("before");
  dns.records.set("_grpc._tcp.users.internal", at(after.port));
  await before[Symbol.asyncDispose]();
  // Well below the 30 s after which the name would be looked up anyway.
  await expect.poll(async () => (await ask()).user?.name, { timeout: 15_000, interval: 100 }).toBe("after");
}, 30_000);

test("a call that waits for the first answer of DNS ends when the mesh closes", async () => {
  await using opened = openResolver(silent);
  const { resolver, clock } = opened;
  const mesh = await openMesh({ resolver, clock, log: silentLogger });
  const call = mesh.client(UserService).getUser({ id: 1n }).catch(ConnectError.from);
  await clock.advance(10);
  await mesh[Symbol.asyncDispose]();
  expect(await call).toMatchObject({ code: Code.FailedPrecondition, rawMessage: "the mesh is closed" });
  expect(clock.pending).toBe(0);
});
