import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { away, openTestDiscovery } from "../../test/suites/discovery-parts.ts";

test("the article's registration is checked by its URL and found with its address", async () => {
  await using discovery = await openTestDiscovery();
  const url = "http://127.0.0.1:5001/health";
  await discovery.consulClient.registerAgentService({
    name: "user-service",
    address: "127.0.0.1",
    port: 5001,
    check: { http: url, interval: "10s", timeout: "2s" },
  });
  expect(discovery.registry.get("user-service")).toMatchObject({
    term: "until-deregistered",
    instance: {
      healthCheck: { probe: { case: "http", value: { url } }, interval: { seconds: 10n }, timeout: { seconds: 2n } },
    },
  });
  const { entries } = await discovery.consulClient.listServiceHealth({ service: "user-service", passing: true });
  expect(entries).toMatchObject([
    {
      service: { id: "user-service", service: "user-service", address: "127.0.0.1", port: 5001, tags: [], meta: {} },
      checks: [{ status: "passing" }],
    },
  ]);
});

test("an instance that is not well is critical, and left out of those that pass", async () => {
  await using discovery = await openTestDiscovery({ probe: async () => away });
  await discovery.consulClient.registerAgentService({ name: "flask", port: 5001 });
  const all = await discovery.consulClient.listServiceHealth({ service: "flask" });
  expect(all.entries).toMatchObject([{ checks: [{ status: "critical", output: away.reason }] }]);
  const passing = await discovery.consulClient.listServiceHealth({ service: "flask", passing: true });
  expect(passing.entries).toEqual([]);
});

test.each([
  ["nothing", {}, { case: "tcp" }, undefined],
  ["TCP", { tcp: "localhost:5002" }, { case: "tcp" }, "localhost:5002"],
  ["gRPC", { grpc: "[::1]:5002" }, { case: "grpc", value: { service: "" } }, "[::1]:5002"],
  [
    "gRPC of a service",
    { grpc: "127.0.0.1:5002/shop.v1.Cart" },
    { case: "grpc", value: { service: "shop.v1.Cart" } },
    "127.0.0.1:5002",
  ],
  ["all three", { http: "http://a:1/", grpc: "b:2", tcp: "c:3" }, { case: "http" }, undefined],
  ["gRPC and TCP", { grpc: "b:2", tcp: "c:3" }, { case: "grpc" }, "b:2"],
])("a check by %s is kept as asked", async (_, check, probe, probeAddress) => {
  await using discovery = await openTestDiscovery();
  await discovery.consulClient.registerAgentService({ name: "flask", port: 5001, check });
  const entry = discovery.registry.get("flask");
  expect(entry?.instance.healthCheck?.probe).toMatchObject(probe);
  expect(entry?.probeAddress).toBe(probeAddress);
});

test("spans that are too short or too long become the shortest and the longest there are", async () => {
  await using discovery = await openTestDiscovery();
  await discovery.consulClient.registerAgentService({ name: "a", port: 1, check: { interval: "1ms", timeout: "1ms" } });
  await discovery.consulClient.registerAgentService({ name: "b", port: 2, check: { interval: "2h", timeout: "1h" } });
  const spans = (id: string) => {
    const { interval, timeout } = discovery.registry.get(id)?.instance.healthCheck ?? {};
    return [interval?.seconds, timeout?.seconds, timeout?.nanos];
  };
  expect(spans("a")).toEqual([1n, 0n, 10_000_000]);
  expect(spans("b")).toEqual([3_600n, 60n, 0]);
});

test("tags and metadata come back as they went in", async () => {
  await using discovery = await openTestDiscovery();
  const told = { tags: ["v1", "primary"], meta: { zone: "eu" } };
  await discovery.consulClient.registerAgentService({ id: "f-1", name: "flask", port: 5001, ...told });
  expect(discovery.registry.get("f-1")?.instance.metadata).toEqual({ zone: "eu", tags: "v1,primary" });
  const { entries } = await discovery.consulClient.listServiceHealth({ service: "flask" });
  expect(entries[0]?.service).toMatchObject(told);
});

test("instances are ordered by id, and gone once taken out", async () => {
  await using discovery = await openTestDiscovery();
  for (const id of ["b", "a"]) {
    await discovery.consulClient.registerAgentService({ id, name: "flask", port: id.charCodeAt(0) });
  }
  const ids = async () =>
    (await discovery.consulClient.listServiceHealth({ service: "flask" })).entries.map((entry) => entry.service?.id);
  expect(await ids()).toEqual(["a", "b"]);
  await discovery.consulClient.deregisterAgentService({ serviceId: "a" });
  await discovery.consulClient.deregisterAgentService({ serviceId: "a" });
  expect(await ids()).toEqual(["b"]);
});

test.each([
  ["name", { name: "no spaces" }],
  ["Check.HTTP", { name: "a", check: { http: "ftp://a/" } }],
  ["Check.TCP", { name: "a", check: { tcp: "localhost" } }],
  ["Check.GRPC", { name: "a", check: { grpc: "/shop.v1.Cart" } }],
])("a wrong %s is refused by that name", async (field, wrong) => {
  await using discovery = await openTestDiscovery();
  const refused = discovery.consulClient.registerAgentService({ port: 5001, ...wrong });
  await expect(refused).rejects.toMatchObject({
    code: Code.InvalidArgument,
    message: expect.stringContaining(field),
  });
  expect(discovery.registry.all()).toEqual([]);
});
