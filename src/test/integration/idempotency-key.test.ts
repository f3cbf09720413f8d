import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFailed, test } from "vitest";
import type { DatabaseKind } from "../../store/database-url.ts";
import { eventually } from "../../testing/eventually.ts";
import { type Cluster, openCluster } from "../../testing/open-cluster.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { allOrderIds, openShop } from "./shop.ts";

const replicas = { user: 1, catalog: 1, order: 1, gateway: 2 };

function post(
  cluster: Cluster,
  gateway: number,
  { key, userId, qty = 1 }: { key: string; userId: bigint; qty?: number },
) {
  return fetch(`http://${cluster.replica("gateway", gateway).address}/v1/orders`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify({ userId: String(userId), items: [{ sku: "ABC", qty }] }),
    signal: AbortSignal.timeout(20_000),
  });
}

const idOf = async (answer: Response) => ((await answer.json()) as { id: string }).id;

async function routed(cluster: Cluster): Promise<void> {
  for (const gateway of [0, 1]) {
    const { address } = cluster.replica("gateway", gateway);
    await eventually(
      `gateway ${gateway} knows the orders`,
      async () => (await fetch(`http://${address}/v1/orders`)).ok,
    );
  }
}

async function openPair(kind: DatabaseKind) {
  await using own = new AsyncDisposableStack();
  const database = own.use(await openDatabase(kind));
  const envOf = {
    catalog: { SEED: "true" },
    gateway: { DATABASE_URL: database.databaseUrl, ...(kind === "sqlite" && { HEDDLE_DATA: database.dataDir }) },
  };
  const cluster = own.use(await openCluster({ replicas, envOf, onFailure: onTestFailed }));
  const mesh = own.use(await cluster.openMesh());
  await routed(cluster);
  const shop = await openShop(mesh);
  const all = own.move();
  return { cluster, shop, dataDir: database.dataDir, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

for (const kind of ["sqlite", "postgres"] as const) {
  test(`fifty equal orders at once, at two gateways that share ${kind}, are one order`, async () => {
    await using pair = await openPair(kind);
    const { cluster, shop } = pair;
    const { userId } = shop;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => post(cluster, i % 2, { key: '"o-1"', userId })),
    );
    const ids = await Promise.all(answers.map(idOf));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(await allOrderIds(shop)).toEqual([...new Set(ids)]);
    expect(answers.filter(({ headers }) => headers.get("idempotency-replayed") === "true")).toHaveLength(49);
    expect((await post(cluster, 0, { key: '"o-1"', userId, qty: 2 })).status).toBe(422);
  });
}

/** Whether a gateway is at the request of a key, by the row that says so. */
function isUnderWay(dataDir: string): boolean {
  const file = new DatabaseSync(`${dataDir}/gateway.db`, { readOnly: true });
  try {
    return file.prepare("select 1 from idempotent_answers where status = 0").get() !== undefined;
  } finally {
    file.close();
  }
}

test("a gateway dies by SIGKILL when an order is made and nobody has its answer: another answers, and it is one order", async () => {
  await using pair = await openPair("sqlite");
  const { cluster, shop, dataDir } = pair;
  const { userId } = shop;
  await post(cluster, 0, { key: '"before"', userId }); // the database is open
  const order = cluster.replica("order").pause();
  const first = post(cluster, 0, { key: '"o-1"', userId }).catch(() => "cut off");
  await eventually("the order is under way", () => isUnderWay(dataDir));
  await sleep(1_000); // until it has left the gateway
  using _gateway = cluster.replica("gateway", 0).pause();
  order[Symbol.dispose]();
  await eventually("the order is made", async () => (await allOrderIds(shop)).length === 2);
  await cluster.replica("gateway", 0).kill();
  expect(await first).toBe("cut off");
  const second = await eventually(
    "the other gateway answers",
    async () => {
      const answer = await post(cluster, 1, { key: '"o-1"', userId });
      return answer.status !== 409 && answer;
    },
    { withinMs: 60_000 },
  );
  expect([second.status, second.headers.get("idempotency-replayed")]).toEqual([201, null]);
  const third = await post(cluster, 1, { key: '"o-1"', userId });
  expect([third.status, third.headers.get("idempotency-replayed")]).toEqual([201, "true"]);
  expect(await idOf(third)).toBe(await idOf(second));
  expect(await allOrderIds(shop)).toHaveLength(2);
});
