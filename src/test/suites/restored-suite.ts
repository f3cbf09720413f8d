import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFailed, test } from "vitest";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { type ClusterOptions, openCluster } from "../../testing/open-cluster.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { heddle, scratchFolder } from "../integration/backup-parts.ts";
import { openShop, type Shop } from "../integration/shop.ts";

const keepers = ["user", "order", "catalog", "discovery"] as const;

/** Databases for a whole system, and what tells the programs and the command line of them. */
async function openPlaces(kind: DatabaseKind) {
  await using opening = new AsyncDisposableStack();
  const envOf: Record<string, Record<string, string>> = { catalog: { SEED: "true" } };
  const env: Record<string, string> = {};
  for (const name of kind === "postgres" ? keepers : []) {
    const { databaseUrl } = opening.use(await openDatabase(kind));
    envOf[name] = { ...envOf[name], DATABASE_URL: databaseUrl };
    env[`${name.toUpperCase()}_DATABASE_URL`] = databaseUrl;
  }
  const opened = opening.move();
  return { env, envOf, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Orders placed one after the other, several at once, until it is over: the ids of those that were accepted. */
async function placeOrders({ orders, userId }: Shop, accepted: string[], isOver: () => boolean): Promise<void> {
  const customer = async (who: number) => {
    for (let n = 0; !isOver(); n++) {
      const items = [n % 10 === 9 ? { sku: "WARP-1", qty: 300 } : { sku: "ABC", qty: 1 }]; // of that there is too little
      const { order } = await orders
        .createOrder({ userId, items, requestId: `${who}-${n}` })
        .catch(() => ({ order: undefined }));
      if (order !== undefined) accepted.push(order.id);
    }
  };
  await Promise.all([1, 2, 3, 4].map(customer));
}

const replicas: ClusterOptions["replicas"] = { user: 1, catalog: 1, order: 2 };

/** A whole system is backed up while orders are placed, and another one goes on from there. */
export function restoredSuite(kind: DatabaseKind): void {
  test("a system is backed up under orders, and another one goes on from there: nothing is lost, sagas end", {
    timeout: 360_000,
  }, async () => {
    const [to, accepted] = [scratchFolder(), [] as string[]];
    const list = join(scratchFolder(), "accepted");
    await using before = await openPlaces(kind);
    {
      await using cluster = await openCluster({ replicas, envOf: before.envOf, onFailure: onTestFailed });
      await using mesh = await cluster.openMesh();
      const shop = await openShop(mesh);
      let isOver = false;
      const placing = placeOrders(shop, accepted, () => isOver);
      await expect.poll(() => accepted.length, { timeout: 60_000 }).toBeGreaterThan(100);
      writeFileSync(list, accepted.join("\n"));
      const made = await heddle(["backup", "--to", to], { ...before.env, HEDDLE_DATA: cluster.dataDir });
      isOver = true;
      await placing;
      expect(made).toMatchObject({ status: 0, out: expect.stringContaining("user, order, catalog, discovery") });
    }
    const folder = join(to, readdirSync(to)[0] ?? "");
    expect(await heddle(["backup", "verify", folder])).toMatchObject({
      status: 0,
      out: expect.stringContaining("whole"),
    });

    await using after = await openPlaces(kind);
    await using cluster = await openCluster({
      replicas: { discovery: 0 },
      envOf: after.envOf,
      onFailure: onTestFailed,
    });
    const env = { ...after.env, HEDDLE_DATA: cluster.dataDir };
    const restored = await heddle(["restore", folder], env);
    expect(restored).toMatchObject({ status: 0, out: expect.stringContaining("restored") });
    const port = Number(cluster.discoveryAddress.split(":")[1]);
    await cluster.start("discovery", { port });
    await Promise.all([
      cluster.start("user"),
      cluster.start("catalog"),
      cluster.start("order"),
      cluster.start("order"),
    ]);
    const audited = await heddle(["audit", "--wait", "60s", "--accepted", list], env);
    expect(audited).toMatchObject({ status: 0, out: expect.stringContaining("RIGHT") });
    await using mesh = await cluster.openMesh();
    const items = [{ sku: "ABC", qty: 1 }];
    const { order } = await mesh.client(OrderService).createOrder({ userId: 1n, items }); // by a user who came with the backup
    expect(order?.userId).toBe(1n);
    expect(await heddle(["audit", "--wait", "60s"], env)).toMatchObject({
      status: 0,
      out: expect.stringContaining("RIGHT"),
    });
    const again = await heddle(["restore", folder], env);
    expect(again).toMatchObject({ status: 1, out: expect.stringMatching(/nothing was restored: IN_USE/) });
  });
}
