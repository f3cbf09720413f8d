import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { jsonLogger } from "../../base/log.ts";
import { seededRandom } from "../../base/random.ts";
import { type CurrentCall, currentCall, runInCall } from "../../call/context.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { scriptedDiscovery } from "../../testing/scripted-discovery.ts";
import { registryResolver } from "./registry.ts";
import type { Endpoint, Resolution } from "./resolver.ts";
import { endpointAt } from "./static.ts";

const service = "shop.user.v1.UserService";
const instance = (id: string) => ({ id, name: "user", host: "127.0.0.1", port: 1 });
const snapshot = (version: bigint, ...ids: string[]) =>
  ({ version, event: { case: "snapshot", value: { instances: ids.map(instance) } } }) as const;
const delta = (previousVersion: bigint, version: bigint, ...ids: string[]) =>
  ({ version, event: { case: "delta", value: { previousVersion, changed: ids.map(instance) } } }) as const;
const heartbeat = (version: bigint) => ({ version, event: { case: "heartbeat", value: {} } }) as const;

/** What is known, in a word. */
const said = (resolution: Resolution) =>
  resolution.kind === "pending" ? "pending" : `${resolution.kind} ${resolution.endpoints.map(({ id }) => id).join()}`;

/** A resolver that follows a scripted discovery, and a cache in memory. */
function openResolver(kept?: readonly Endpoint[]) {
  const clock = fakeClock();
  const discovery = scriptedDiscovery();
  const written: string[] = [];
  const cache = {
    write: (_: string, endpoints: readonly Endpoint[]) => void written.push(endpoints.map(({ id }) => id).join()),
    read: async () => kept,
  };
  const logged: string[] = [];
  const log = jsonLogger({ write: (line) => logged.push(line) });
  const resolver = registryResolver({ discovery: discovery.client, cache, clock, random: seededRandom(1), log });
  const close = () => resolver[Symbol.asyncDispose]();
  return { clock, discovery, written, logged, resolver, [Symbol.asyncDispose]: close };
}

type Opened = ReturnType<typeof openResolver>;

/** Follows the service; answers what is known after each `settle`. */
function follow({ resolver, clock }: Opened) {
  const followed = resolver.resolve(service);
  return { followed, now: () => said(followed.value), settle: (ms = 0) => clock.advance(ms) };
}

/** The last watch opened. */
const watch = ({ discovery }: Opened, index = -1) => discovery.watches.at(index) ?? expect.unreachable("no watch");

test("nothing is known until the snapshot; then deltas change it, and each change is kept on disk", async () => {
  await using opened = openResolver();
  const { now, settle } = follow(opened);
  await settle();
  expect([now(), watch(opened).service]).toEqual(["pending", service]);
  watch(opened).send(snapshot(1n, "a"));
  await settle();
  expect(now()).toBe("live a");
  watch(opened).send(heartbeat(1n));
  watch(opened).send(delta(1n, 2n, "b"));
  await settle();
  expect(now()).toBe("live a,b");
  expect(opened.written).toEqual(["a", "a,b"]);
});

test("the same service is followed once, whoever asks", async () => {
  await using opened = openResolver();
  expect(opened.resolver.resolve(service)).toBe(opened.resolver.resolve(service));
  await opened.clock.advance(0);
  expect(opened.discovery.watches).toHaveLength(1);
});

test.each([
  ["a delta that skips a version", delta(2n, 3n, "b")],
  ["a heartbeat of a version not seen", heartbeat(2n)],
])("%s is a gap: the watch is left, and a new one opened, while what was known stays", async (_, step) => {
  await using opened = openResolver();
  const { now, settle } = follow(opened);
  await settle();
  watch(opened).send(snapshot(1n, "a"));
  watch(opened).send(step);
  await settle(100);
  expect(now()).toBe("live a");
  expect(opened.discovery.watches).toHaveLength(2);
  expect(watch(opened, 0).left).toBe(true);
  watch(opened).send(snapshot(3n, "a", "b"));
  await settle();
  expect(now()).toBe("live a,b");
});

test("a watch without a sign of life for 6 s is left for a new one", async () => {
  await using opened = openResolver();
  const { now, settle } = follow(opened);
  await settle();
  watch(opened).send(snapshot(1n, "a"));
  await settle(5_500);
  watch(opened).send(heartbeat(1n));
  await settle(5_999);
  expect(now()).toBe("live a");
  await settle(1);
  expect(now()).toBe("last-known a");
  expect(watch(opened, 0).left).toBe(true);
  await settle(200);
  expect(opened.discovery.watches).toHaveLength(2);
  expect(opened.logged.join()).toContain("no sign of life for 6000 ms");
});

test("while discovery is away the endpoints known last stay; it is asked again until it is back", async () => {
  await using opened = openResolver();
  const { followed, now, settle } = follow(opened);
  await settle();
  watch(opened).send(snapshot(1n, "a"));
  await settle();
  opened.discovery.away = true;
  watch(opened).end(new ConnectError("gone", Code.Unavailable));
  await settle(60_000);
  expect(now()).toBe("last-known a");
  expect(followed.value).toMatchObject({ problem: expect.stringContaining("connection refused") });
  opened.discovery.away = false;
  await settle(5_000);
  watch(opened).send(snapshot(1n, "b"));
  await settle();
  expect(now()).toBe("live b");
});

test("at a start without discovery the endpoints on disk do, after a second of patience or at the first refusal", async () => {
  await using silent = openResolver([endpointAt("a")]);
  const patient = follow(silent);
  await patient.settle(999);
  expect(patient.now()).toBe("pending");
  await patient.settle(1);
  expect(patient.now()).toBe("last-known a");

  await using refused = openResolver([endpointAt("a")]);
  refused.discovery.away = true;
  const { followed, now, settle } = follow(refused);
  await settle();
  expect(now()).toBe("last-known a");
  await settle(1_500);
  expect(followed.value).toMatchObject({ problem: expect.stringContaining("connection refused") }); // not "not yet"
});

test("a start without discovery and without a file knows of nobody, rather than waiting for ever", async () => {
  await using opened = openResolver();
  const { now, settle } = follow(opened);
  await settle(1_000);
  expect(now()).toBe("last-known ");
});

test("an outage is logged once, not at every try", async () => {
  await using opened = openResolver();
  opened.discovery.away = true;
  const { settle } = follow(opened);
  await settle(60_000);
  expect(opened.logged).toHaveLength(1);
});

test("a watch that a call happens to start does not inherit the call", async () => {
  await using opened = openResolver();
  const seen: (CurrentCall | undefined)[] = [];
  const watchOf = opened.discovery.client.watch;
  vi.spyOn(opened.discovery.client, "watch").mockImplementation((...args) => {
    seen.push(currentCall());
    return watchOf(...args);
  });
  const caller = new AbortController();
  runInCall({ deadlineAt: opened.clock.now() + 10, signal: caller.signal }, () => opened.resolver.resolve(service));
  await opened.clock.advance(0);
  caller.abort();
  await opened.clock.advance(100);
  expect(seen).toEqual([undefined]);
  expect(watch(opened).left).toBe(false);
});

test("closing leaves every watch, and no timer", async () => {
  const opened = openResolver();
  const { settle } = follow(opened);
  opened.resolver.resolve("another.Service");
  await settle();
  watch(opened).send(snapshot(1n, "a"));
  await settle();
  await opened[Symbol.asyncDispose]();
  await settle();
  expect(opened.discovery.watches.map(({ left }) => left)).toEqual([true, true]);
  expect(opened.clock.pending).toBe(0);
});

test.each([
  ["before discovery has said anything", false],
  ["while discovery is away", true],
])("closing %s leaves no timer, and nobody follows again", async (_, away) => {
  const opened = openResolver();
  const { settle } = follow(opened);
  opened.discovery.away = away;
  await settle(away ? 3_000 : 500);
  expect(opened.clock.pending).toBeGreaterThan(0);
  await opened[Symbol.asyncDispose]();
  const watches = opened.discovery.watches.length;
  expect(opened.clock.pending).toBe(0);
  opened.resolver.resolve("another.Service");
  await settle(60_000);
  expect([opened.discovery.watches.length, opened.clock.pending]).toEqual([watches, 0]);
});
