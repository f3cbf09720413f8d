import { expect, onTestFailed, test } from "vitest";
import { openCluster } from "../../testing/open-cluster.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { openShop } from "./shop.ts";

test("all four services on PostgreSQL: a user is created and orders, and the order can be read", async () => {
  await using discovery = await openDatabase("postgres");
  await using user = await openDatabase("postgres");
  await using catalog = await openDatabase("postgres");
  await using order = await openDatabase("postgres");
  await using cluster = await openCluster({
    replicas: { user: 1, catalog: 1, order: 2 },
    envOf: {
      discovery: { DATABASE_URL: discovery.databaseUrl },
      user: { DATABASE_URL: user.databaseUrl },
      catalog: { DATABASE_URL: catalog.databaseUrl, SEED: "true" },
      order: { DATABASE_URL: order.databaseUrl },
    },
    onFailure: onTestFailed,
  });
  await using mesh = await cluster.openMesh();
  const { orders, userId } = await openShop(mesh);
  const created = await orders.createOrder({ userId, items: [{ sku: "ABC", qty: 2 }], requestId: "one" });
  const again = await orders.createOrder({ userId, items: [{ sku: "ABC", qty: 2 }], requestId: "one" });
  const read = await orders.getOrder({ id: created.order?.id ?? "" });
  const { id, total, createdAt } = created.order ?? expect.fail();
  expect(read.order).toMatchObject({ id, total, createdAt });
  expect(again.order?.id).toBe(created.order?.id);
  expect(read.order).toMatchObject({ userId, items: [{ sku: "ABC", qty: 2 }] });
  expect(cluster.logs()).not.toContain(".db"); // no SQLite file was opened
});
