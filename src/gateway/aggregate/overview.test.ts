import { expect, test, vi } from "vitest";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import plan from "../../cli/aggregates.json" with { type: "json" };
import { overview } from "../../test/suites/aggregate-parts.ts";
import { annService, openTown, until } from "../../test/suites/gateway-parts.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

const orders = {
  listOrders: ({ userId }: { userId: bigint }) => ({
    orders: [{ id: "o-1", userId, items: [{ sku: "ABC", qty: 2 }] }],
  }),
};
const catalog = { getProduct: ({ sku }: { sku: string }) => ({ product: { sku, name: "Loom shuttle" } }) };

const overviewSchema = {
  properties: {
    user: { $ref: "#/components/schemas/shop.user.v1.User" },
    orders: { type: "array", items: { $ref: "#/components/schemas/shop.order.v1.Order" } },
    products: { type: "array", items: { $ref: "#/components/schemas/shop.catalog.v1.Product" } },
    partial: { type: "array" },
  },
  required: ["user"],
};

async function ask(url: string, path: string) {
  const answer = await fetch(url + path);
  return {
    status: answer.status,
    json: (await answer.json()) as { products?: unknown[]; partial?: unknown[] },
    header: answer.headers,
  };
}

test("the shop's overview begins to work as its services appear, says in /health what it waits for, and survives the catalog", async () => {
  await using town = await openTown();
  await using gateway = await town.gateway({ aggregates: JSON.stringify(plan) });
  const url = `http://127.0.0.1:${gateway.port}`;
  const asked = () => ask(url, "/v1/users/1/overview");
  expect(await asked()).toMatchObject({ status: 503, json: { details: [{ reason: "PART_NOT_READY" }, {}] } });
  expect((await ask(url, "/health")).json).toMatchObject({
    aggregates: [
      {
        path: "/v1/users/{id}/overview",
        ready: false,
        problems: [/UserService is not routed/, /OrderService is not routed/, /CatalogService is not routed/].map(
          (each) => expect.stringMatching(each),
        ),
      },
    ],
  });

  const heard: Headers[] = [];
  await using _users = await town.join("user", [[UserService, annService(heard)]]);
  await using _orders = await town.join("order", [[OrderService, orders]]);
  const products = await town.join("catalog", [[CatalogService, catalog]], { authenticate: async () => undefined });
  const whole = await until(asked, ({ json }) => json.products?.length === 1);
  expect(whole).toMatchObject({
    status: 200,
    json: { user: { id: "1", name: "Ann" }, orders: [{ userId: "1" }], products: [{ name: "Loom shuttle" }] },
  });
  expect(whole.json).not.toHaveProperty("partial");
  expect(heard.at(-1)?.get("x-request-id")).toBe(whole.header.get("x-request-id"));
  expect((await ask(url, "/api/users/1/overview")).json).toMatchObject({ orders: [{ user_id: 1 }] });
  expect((await ask(url, "/health")).json).toMatchObject({ aggregates: [{ ready: true }] });
  const documented = (await ask(url, "/openapi.json")).json as { paths?: Record<string, unknown> };
  expect(documented.paths?.["/v1/users/{id}/overview"]).toMatchObject({
    get: {
      parameters: [{ name: "id", in: "path", required: true }],
      responses: { "200": { content: { "application/json": { schema: overviewSchema } } } },
    },
  });

  await products.drain();
  const partial = await until(asked, ({ json }) => json.partial !== undefined);
  expect(partial).toMatchObject({
    status: 200,
    json: { user: { name: "Ann" }, orders: [{}], partial: [{ part: "products", message: "its service is away" }] },
  });
  expect((await ask(url, "/v1/users/7/overview")).status).toBe(404);
});

test("a program that opens a gateway gives it aggregates in code", async () => {
  await using town = await openTown();
  await using _users = await town.join("user", [[UserService, annService()]]);
  await using gateway = await town.gateway({ aggregates: [overview] });
  const answer = await until(
    () => ask(`http://127.0.0.1:${gateway.port}`, "/v1/users/1/overview"),
    ({ status }) => status === 200,
  );
  expect(answer.json).toMatchObject({ user: { name: "Ann" }, partial: [{ part: "orders" }, { part: "products" }] });
});

test("a gateway does not start with a plan that cannot be", async () => {
  await using town = await openTown();
  await expect(town.gateway({ aggregates: '{"aggregates":[{"path":"/v1/x"}]}' })).rejects.toThrow(
    "GET /v1/x: it has no parts",
  );
});
