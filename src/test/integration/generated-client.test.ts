import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Cluster, openCluster } from "../../testing/open-cluster.ts";
import { ScratchProject } from "./scratch-project.ts";

/** The generator reads TypeScript's own programming interface, which later versions no longer have. */
const tools = "openapi-typescript@7.13.0 openapi-fetch@0.17.0 typescript@5.9.3 @types/node@24";

/** Somebody's client, who has the document and nothing else of ours. What must not compile says so. */
const client = `
import createClient from "openapi-fetch";
import type { paths } from "./api.ts";

const shop = createClient<paths>({ baseUrl: process.argv[2] ?? "" });

function ok<T>({ data, error }: { data?: T; error?: unknown }): T {
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

const { products } = ok(await shop.GET("/v1/products", { params: { query: { pageSize: 5 } } }));
const [product] = products;
if (product === undefined) throw new Error("nothing to order");
const user = ok(await shop.POST("/v1/users", { body: { name: "Ada", email: "ada@example.com" } }));

const placed = await shop.POST("/v1/orders", {
  params: { header: { "Idempotency-Key": "order-1" } },
  body: { userId: user.id, items: [{ sku: product.sku, qty: 2 }] },
});
const order = ok(placed);
const got = ok(await shop.GET("/v1/orders/{id}", { params: { path: { id: order.id } } }));
const listed = ok(await shop.GET("/v1/users/{userId}/orders", { params: { path: { userId: user.id } } }));
const cancelled = ok(
  await shop.POST("/v1/orders/{id}:cancel", { params: { path: { id: order.id } }, body: { reason: "enough" } }),
);
const missing = await shop.GET("/v1/orders/{id}", { params: { path: { id: "nothing" } } });

// @ts-expect-error an order needs items
void (() => shop.POST("/v1/orders", { body: { userId: "1" } }));
// @ts-expect-error a quantity is a number
void (() => shop.POST("/v1/orders", { body: { userId: "1", items: [{ sku: "ABC", qty: "2" }] } }));
// @ts-expect-error no order has such a field
void (() => order.colour);
// @ts-expect-error a status is one of the contract's
order.status satisfies "ORDER_STATUS_LOST";
// @ts-expect-error there is no such path
void (() => shop.GET("/v1/other"));

console.log(
  JSON.stringify({
    location: placed.response.headers.get("location"),
    ids: [order.id, got.id, listed.orders[0]?.id, cancelled.id],
    total: order.total,
    price: product.price,
    statuses: [order.status, cancelled.status],
    reason: cancelled.cancelReason,
    missing: [missing.response.status, missing.error?.message],
  }),
);
`;

const project = new ScratchProject();
let cluster: Cluster;

beforeAll(async () => {
  cluster = await openCluster({
    replicas: { user: 1, catalog: 1, order: 1, gateway: 1 },
    envOf: { catalog: { SEED: "true" } },
    onFailure: () => undefined, // a test that fails shows the logs by itself
  });
  project.write("package.json", '{ "private": true, "type": "module" }\n');
  await project.type(`npm install --no-audit --no-fund --loglevel=error ${tools}`);
}, 240_000);
beforeEach(({ onTestFailed }) => onTestFailed(() => void process.stderr.write(cluster.logs())));
afterAll(async () => {
  project[Symbol.dispose]();
  await cluster?.[Symbol.asyncDispose]();
});

test("a client that is generated from the live document takes an order from its beginning to its end", async () => {
  const url = `http://${cluster.replica("gateway").address}`;
  project.write("client.ts", client);
  await project.type(`npx openapi-typescript ${url}/openapi.json -o api.ts`);
  const flags = "--noEmit --strict --target es2024 --module nodenext --allowImportingTsExtensions --types node";
  expect(await project.type(`npx tsc ${flags} client.ts`)).toBe("");
  const told = JSON.parse(await project.type(`node client.ts ${url}`)) as Record<string, readonly unknown[]>;
  const [id] = told.ids ?? [];
  expect(told).toMatchObject({
    location: `/v1/orders/${id}`,
    ids: [id, id, id, id],
    statuses: ["ORDER_STATUS_PENDING", "ORDER_STATUS_CANCELLED"],
    reason: "enough",
    missing: [404, "order nothing does not exist"],
    total: { currencyCode: "EUR" },
  });
});
