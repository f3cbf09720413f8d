import { expect, test } from "vitest";
import { silentLogger } from "../../base/log.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { resolverOf } from "./resolver-of.ts";

const lookup = {
  addresses: async (host: string) => (host === "users.internal" ? ["10.0.0.1"] : []),
  services: async (name: string) => (name === "_grpc._tcp.orders" ? [srv] : []),
};
const srv = { name: "users.internal", port: 9, priority: 0, weight: 0 };

test.each([
  ["dns:users.internal:8001", ["10.0.0.1:8001"]],
  ["dns:///users.internal:8001", ["10.0.0.1:8001"]],
  ["dns:orders", ["10.0.0.1:9"]],
  ["static:10.0.0.1:8001", ["10.0.0.1:8001"]],
  [" static:10.0.0.2:8001, users.internal:80,[::1]:80 ", ["10.0.0.2:8001", "users.internal:80", "[::1]:80"]],
])("%s says where a service is", async (target, addresses) => {
  const clock = fakeClock();
  const resolver = resolverOf({ "a.B": target }, { lookup, clock, log: silentLogger });
  const followed = resolver.resolve("a.B");
  resolver.lookAgain?.("a.B");
  await clock.advance(0);
  expect(followed.value).toMatchObject({ kind: "live", endpoints: addresses.map((address) => ({ address })) });
  expect(resolver.resolve("c.D").value).toEqual({ kind: "live", endpoints: [] });
  await resolver[Symbol.asyncDispose]();
  expect(clock.pending).toBe(0);
});

test.each([
  "users.internal:8001",
  "",
  "http://users:80",
  "dns:",
  "dns:a b",
  "static:",
  "static:10.0.0.1",
  "static:a:1,,b:2",
])("%j is refused with the service that it is for", (target) => {
  expect(() => resolverOf({ "a.B": target })).toThrow(/^a\.B: "/);
});
