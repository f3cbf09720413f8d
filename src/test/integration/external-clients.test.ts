import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { type Cluster, openCluster, type PartName } from "../../testing/open-cluster.ts";
import { bufCurl, grpcurl } from "./tools.ts";

/** A method of each service that answers without there being anything, with a field of its answer. */
const services = [
  { part: "user", method: "shop.user.v1.UserService/ListUsers" },
  { part: "catalog", method: "shop.catalog.v1.CatalogService/ListProducts" },
  { part: "order", method: "shop.order.v1.OrderService/ListOrders" },
  { part: "discovery", method: "heddle.discovery.v1.DiscoveryService/ListServices" },
] as const satisfies readonly { part: PartName; method: string }[];

let cluster: Cluster;

beforeAll(async () => {
  const replicas = { user: 1, catalog: 1, order: 1 };
  const onFailure = (show: () => void) => show; // each test registers its own
  cluster = await openCluster({ replicas, envOf: { catalog: { SEED: "true" } }, onFailure });
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

/** Where a program serves; its logs are shown if the test fails. */
function addressOf(part: PartName): string {
  onTestFailed(() => void process.stderr.write(cluster.logs()));
  return cluster.replica(part).address;
}

describe.for(services)("$part", ({ part, method }) => {
  const [service = ""] = method.split("/");

  test("buf curl finds the services by reflection", async () => {
    const listed = await bufCurl(`http://${addressOf(part)}`, "--list-services");
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining(service) });
    expect(listed.stdout).toContain("grpc.health.v1.Health");
  });

  test.for(["grpc", "grpcweb", "connect"])("buf curl calls it over %s", async (protocol) => {
    const called = await bufCurl(`http://${addressOf(part)}/${method}`, "--protocol", protocol, "--data", "{}");
    expect(called).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(called.stdout)).toBeTypeOf("object");
  });

  test("grpcurl lists, describes and calls it", async () => {
    const address = addressOf(part);
    const listed = await grpcurl(address, "list");
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining(service) });
    const described = await grpcurl(address, "describe", service);
    expect(described).toMatchObject({ code: 0, stdout: expect.stringContaining(`${service} is a service`) });
    const called = await grpcurl("-d", "{}", address, method);
    expect(called).toMatchObject({ code: 0, stderr: "" });
    const health = await grpcurl(address, "grpc.health.v1.Health/Check");
    expect(JSON.parse(health.stdout)).toEqual({ status: "SERVING" });
  });
});

test("grpcurl sees what an error is about: its code, its reason, and the wrong field", async () => {
  const address = addressOf("user");
  const missing = await grpcurl("-d", '{"id": 999}', address, "shop.user.v1.UserService/GetUser");
  expect(missing.code).toBe(64 + 5); // NOT_FOUND
  expect(missing.stderr).toMatch(/Code: NotFound[\s\S]*google\.rpc\.ErrorInfo[\s\S]*"reason": ?"USER_NOT_FOUND"/);
  const invalid = await grpcurl("-d", '{"id": -1}', address, "shop.user.v1.UserService/GetUser");
  expect(invalid.code).toBe(64 + 3); // INVALID_ARGUMENT
  expect(invalid.stderr).toMatch(/google\.rpc\.BadRequest[\s\S]*"field": ?"id"/);
});

test("grpcurl creates a user, orders for it and reads the order", async () => {
  const ada = '{"name": "Ada", "email": "ada@example.com"}';
  const created = await grpcurl("-d", ada, addressOf("user"), "shop.user.v1.UserService/CreateUser");
  const { user } = JSON.parse(created.stdout);
  const items = [{ sku: "ABC", qty: 2 }];
  const [orders, service] = [addressOf("order"), "shop.order.v1.OrderService"];
  const ordered = await grpcurl("-d", JSON.stringify({ user_id: user.id, items }), orders, `${service}/CreateOrder`);
  const { order } = JSON.parse(ordered.stdout);
  const read = await grpcurl("-d", JSON.stringify({ id: order.id }), orders, `${service}/GetOrder`);
  expect(JSON.parse(read.stdout).order).toMatchObject({
    id: order.id,
    status: expect.stringMatching(/_(PENDING|CONFIRMED)$/),
  });
});
