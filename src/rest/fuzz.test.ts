import { createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ConsulService } from "../../gen/heddle/discovery/v1/consul_pb.ts";
import { DiscoveryService } from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import { CatalogService } from "../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { type Random, seededRandom } from "../base/random.ts";
import { readAnswer, restRequest } from "../testing/rest-caller.ts";
import { transcoder } from "./transcoder.ts";

const services = [UserService, OrderService, CatalogService, DiscoveryService, ConsulService];
const rest = transcoder({ services, transport: createRouterTransport(() => {}), maxBodyBytes: 10_000 });

const pieces = [
  "v1",
  "api",
  "users",
  "orders",
  "products",
  "services",
  "health",
  "service",
  "agent",
  "register",
  "42",
  "a",
  "me",
  "",
  "%2F",
  "%zz",
  "%ff",
  "%",
  "é",
  "x:cancel",
  "x:watch",
  ":cancel",
  "products:batchGet",
  "__proto__",
  "constructor",
  "**",
  "{id}",
  "..",
  "\0",
  "🦉",
];
const names = [
  "page_size",
  "pageSize",
  "page_token",
  "user.name",
  "user",
  "update_mask",
  "updateMask",
  "user_id",
  "skus",
  "passing",
  "__proto__",
  "constructor",
  "toString",
  "a.b.c",
  "instance.metadata[x]",
  "[",
  "]",
  "a[b",
  "%zz",
  "",
];
const values = [
  "",
  "1",
  "-1",
  "1e9",
  "abc",
  "%",
  "%00",
  "%ff",
  "true",
  "NaN",
  "9".repeat(30),
  "a,b",
  "[]",
  "{}",
  "\ud800",
];
const keys = [
  "name",
  "email",
  "user_id",
  "userId",
  "items",
  "sku",
  "qty",
  "status",
  "instance",
  "metadata",
  "healthCheck",
  "interval",
  "createdAt",
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "",
  "Name",
  "Check",
  "price",
  "units",
  "updateMask",
];
const scalars = [
  null,
  true,
  0,
  -0,
  1.5,
  1e308,
  42,
  2 ** 53,
  "",
  "x",
  "pending",
  "ORDER_STATUS_PENDING",
  "10s",
  "2026-01-31T12:00:00Z",
  "\ud800",
  "🦉",
  "__proto__",
];
const junk = ["{", "}", "[", "]", '"', ":", ",", "\\", "null", "1e", "\u2028", "\0", "NaN", '{"a":1,"a":2}'];

function fuzzer(random: Random) {
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const some = <T>(most: number, make: () => T): T[] => Array.from({ length: below(most + 1) }, make);
  const json = (depth: number): unknown => {
    if (depth === 0 || random() < 0.4) return pick(scalars);
    if (random() < 0.3) return some(4, () => json(depth - 1));
    return Object.fromEntries(some(5, () => [pick(keys), json(depth - 1)]));
  };
  const damaged = (text: string) => {
    const at = below(text.length + 1);
    return text.slice(0, at) + pick(junk) + text.slice(at + below(3));
  };
  const path = () => {
    const root =
      random() < 0.8
        ? pick([
            ["v1", "users"],
            ["v1", "orders"],
            ["api", "orders"],
            ["api", "users"],
            ["v1", "services"],
          ])
        : [];
    return `/${[...root, ...some(3, () => pick(pieces))].join("/")}`;
  };
  const query = () =>
    random() < 0.5 ? "" : `?${some(4, () => `${pick(names)}${pick(["=", "", "=="])}${pick(values)}`).join("&")}`;
  const body = () => {
    const text = JSON.stringify(json(6));
    if (random() < 0.2) return damaged(text);
    return random() < 0.05 ? Uint8Array.from(some(20, () => below(256))) : text;
  };
  const method = () => pick(["GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "BREW"]);
  return () => ({ method: method(), url: path() + query(), body: body() });
}

test.each([1, 2, 3])("whatever is sent, the answer has a status and no internals (seed %i)", async (seed) => {
  const next = fuzzer(seededRandom(seed));
  const statuses = new Map<number | undefined, number>();
  for (let i = 0; i < 1_500; i++) {
    const { method, url, body } = next();
    const answer = await rest(restRequest(method, url, { body }));
    const read = answer && (await readAnswer(answer));
    statuses.set(read?.status, (statuses.get(read?.status) ?? 0) + 1);
    const about = `${method} ${url} ${String(body)} → ${read?.text}`;
    // Nothing implements the services, so that a request that is fine ends in 501: never in 500.
    expect([undefined, 400, 405, 501], about).toContain(read?.status);
    if (read !== undefined && method !== "HEAD") {
      expect(read.json, about).toMatchObject({ code: expect.any(Number), message: expect.any(String) });
      expect(read.text, about).not.toMatch(/\bat .*\.[jt]s:/);
    }
  }
  for (const status of [undefined, 400, 405, 501])
    expect(statuses.get(status) ?? 0, String(status)).toBeGreaterThan(20);
});
