import { expect, test } from "vitest";
import type { DnsLookup, SrvRecord } from "./dns-lookup.ts";
import { dnsNameOf, endpointsOf } from "./dns-name.ts";

/** A lookup that knows these. */
function knowing(addresses: Record<string, string[]>, services: Record<string, SrvRecord[]> = {}): DnsLookup {
  const find = async <T>(known: Record<string, T[]>, name: string) => {
    if (known[name] === undefined) throw new Error(`ENOTFOUND ${name}`);
    return known[name];
  };
  return { addresses: (host) => find(addresses, host), services: (name) => find(services, name) };
}

const srv = (name: string, port: number, priority: number, weight: number) => ({ name, port, priority, weight });
const asService = { kind: "service", name: "_grpc._tcp.u" } as const;
const said = async (records: SrvRecord[], addresses: Record<string, string[]>) =>
  (await endpointsOf(asService, knowing(addresses, { "_grpc._tcp.u": records }))).map(({ id, weight }) => [id, weight]);

test.each([
  ["users.internal:8001", { kind: "host", host: "users.internal", port: 8001 }],
  ["10.0.0.1:80", { kind: "host", host: "10.0.0.1", port: 80 }],
  ["[::1]:80", { kind: "host", host: "::1", port: 80 }],
  ["users.internal", { kind: "service", name: "_grpc._tcp.users.internal" }],
  ["_api._tcp.users.internal", { kind: "service", name: "_api._tcp.users.internal" }],
])("%s is read", (text, name) => {
  expect(dnsNameOf(text)).toEqual(name);
});

test.each([
  "",
  ":80",
  "a b:80",
  "users:0",
  "users:65536",
  "users:port",
  "::1",
  "http://users:80",
  "_api._tcp.users:80",
])("%j is no name", (text) => {
  expect(() => dnsNameOf(text)).toThrow(`"${text}"`);
});

test("every address of a host is an endpoint, whose id it is, and all come in one order", async () => {
  const lookup = knowing({ users: ["10.0.0.2", "10.0.0.1", "::1", "10.0.0.2"] });
  const endpoints = await endpointsOf({ kind: "host", host: "users", port: 80 }, lookup);
  expect(endpoints.map(({ id }) => id)).toEqual(["10.0.0.1:80", "10.0.0.2:80", "[::1]:80"]);
  expect(endpoints[0]).toMatchObject({ address: "10.0.0.1:80", name: "users", weight: 100 });
});

test("a host without addresses, and a service without records, are problems with a name", async () => {
  const lookup = knowing({ users: [] }, { "_grpc._tcp.u": [] });
  await expect(endpointsOf({ kind: "host", host: "users", port: 80 }, lookup)).rejects.toThrow("users has no address");
  await expect(endpointsOf(asService, lookup)).rejects.toThrow("no SRV record of _grpc._tcp.u says");
  await expect(endpointsOf({ ...asService, name: "_x._tcp.y" }, lookup)).rejects.toThrow("ENOTFOUND _x._tcp.y");
});

test("records of SRV say ports and shares, and a host of several addresses shares its weight out", async () => {
  const records = [srv("one", 81, 5, 10), srv("two", 82, 5, 30)];
  expect(await said(records, { one: ["10.0.0.1"], two: ["10.0.0.2", "10.0.0.3"] })).toEqual([
    ["10.0.0.1:81", 75],
    ["10.0.0.2:82", 113],
    ["10.0.0.3:82", 113],
  ]);
});

test("weights stay between 1 and 1000, and where all are 0 all are alike", async () => {
  const many = Array.from({ length: 20 }, (_, index) => srv(`h${index}`, 80, 0, index === 0 ? 65_535 : 0));
  const addresses = Object.fromEntries(many.map(({ name }, index) => [name, [`10.0.0.${10 + index}`]]));
  const weights = (await said(many, addresses)).map(([, weight]) => weight);
  expect([weights[0], weights[1]]).toEqual([1_000, 1]);
  const alike = await said([srv("one", 80, 0, 0), srv("two", 80, 0, 0)], { one: ["10.0.0.1"], two: ["10.0.0.2"] });
  expect(alike.map(([, weight]) => weight)).toEqual([100, 100]);
});

test("a higher priority is for when no host of a lower one has an address", async () => {
  const records = [srv("spare", 80, 20, 1), srv("first", 80, 10, 1), srv("second", 80, 10, 1)];
  const all = { first: ["10.0.0.1"], second: ["10.0.0.2"], spare: ["10.0.0.9"] };
  expect(await said(records, all)).toEqual([
    ["10.0.0.1:80", 100],
    ["10.0.0.2:80", 100],
  ]);
  expect(await said(records, { second: ["10.0.0.2"], spare: all.spare })).toEqual([["10.0.0.2:80", 100]]);
  expect(await said(records, { spare: all.spare })).toEqual([["10.0.0.9:80", 100]]);
  await expect(said(records, {})).rejects.toThrow("ENOTFOUND first");
});

test("a record of the target . says that the service is nowhere", async () => {
  await expect(said([srv(".", 0, 0, 0)], {})).rejects.toThrow("no SRV record");
});
