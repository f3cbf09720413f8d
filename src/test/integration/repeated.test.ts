import { type Client, createClient } from "@connectrpc/connect";
import { expect, onTestFailed, test } from "vitest";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { eventually } from "../../testing/eventually.ts";
import { type Cluster, openCluster } from "../../testing/open-cluster.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { defaultEngine } from "../../wire/engines.ts";
import { grpcTransport } from "../../wire/grpc.ts";
import { restOk } from "./rest.ts";
import { allOrderIds, openShop } from "./shop.ts";

/** The answer to the first attempt of each call is lost, after the server has given it; repeats get through. */
const faults = JSON.stringify({
  faults: [
    { header: { name: "grpc-previous-rpc-attempts" }, delay: "0.001s" },
    ...["CreateUser", "UpdateUser", "DeleteUser"].map((method) => ({ method, lostAnswer: {} })),
    ...["CreateOrder", "CancelOrder"].map((method) => ({ method, lostAnswer: {} })),
  ],
});

/** Few enough that no circuit opens: half of all attempts fail, and ten are what one goes by. */
const calls = 4;

async function openPair(kind: DatabaseKind) {
  await using own = new AsyncDisposableStack();
  const database = async () => ({ DATABASE_URL: own.use(await openDatabase(kind)).databaseUrl });
  const envOf = {
    user: await database(),
    order: await database(),
    catalog: { SEED: "true" },
    gateway: { HEDDLE_FAULTS: faults },
  };
  const replicas = { user: 1, catalog: 1, order: 2, gateway: 1 };
  const cluster = own.use(await openCluster({ replicas, envOf, onFailure: onTestFailed }));
  const shop = await openShop(own.use(await cluster.openMesh()));
  const all = own.move();
  return { cluster, shop, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

type Users = Pick<Client<typeof UserService>, "createUser" | "updateUser" | "deleteUser">;
type Orders = Pick<Client<typeof OrderService>, "createOrder" | "cancelOrder">;

/** Makes the calls, each as often as `calls` says, and answers with the users and the orders they answered with. */
async function change(users: Users, orders: Orders, { userId, name }: { userId: bigint; name: string }) {
  const made: { id: bigint; version: number }[] = [];
  const orderIds: string[] = [];
  for (let turn = 0; turn < calls; turn++) {
    const { user } = await users.createUser({ name, email: `${name}-${turn}@example.com` });
    const changed = await users.updateUser({ user: { id: user?.id ?? 0n, name: `${name} ${turn}`, version: 1 } });
    made.push({ id: user?.id ?? 0n, version: changed.user?.version ?? 0 });
    const { order } = await orders.createOrder({ userId, items: [{ sku: "ABC", qty: 1 }] });
    await orders.cancelOrder({ id: order?.id ?? "", reason: "changed my mind" });
    orderIds.push(order?.id ?? "");
  }
  await users.deleteUser({ id: made[0]?.id ?? 0n });
  return { made, orderIds };
}

/** A gRPC client that knows nothing of us, connected to the gateway. */
function foreignClients(cluster: Cluster) {
  const session = defaultEngine.connect(cluster.replica("gateway").address);
  const transport = grpcTransport(session);
  const clients = { users: createClient(UserService, transport), orders: createClient(OrderService, transport) };
  return { ...clients, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() };
}

for (const kind of ["sqlite", "postgres"] as const) {
  test(`whose answers are lost are asked again and change nothing twice, by mesh, gateway or REST, on ${kind}`, async () => {
    await using pair = await openPair(kind);
    const { cluster, shop } = pair;
    await using mesh = await cluster.openMesh({ faults });
    const overMesh = { users: mesh.client(UserService), orders: mesh.client(OrderService) };
    await using abroad = foreignClients(cluster);
    const { address } = cluster.replica("gateway");
    for (const path of ["/v1/users", "/v1/orders"]) {
      await eventually(`the gateway knows ${path}`, () => restOk(address, path));
    }
    const { userId } = shop;

    const own = await change(overMesh.users, overMesh.orders, { userId, name: "own" });
    const passed = await change(abroad.users, abroad.orders, { userId, name: "passed" });

    for (const { made } of [own, passed]) expect(made.map(({ version }) => version)).toEqual(made.map(() => 2));
    const { users } = await shop.users.listUsers({ pageSize: 1_000 });
    expect(users).toHaveLength(1 + 2 * (calls - 1));
    const order = { userId: String(userId), items: [{ sku: "ABC", qty: 1 }] };
    const ids: unknown[] = [];
    for (let turn = 0; turn < calls; turn++) ids.push((await restOk(address, "/v1/orders", order)).id);
    expect((await allOrderIds(shop)).sort()).toEqual([...own.orderIds, ...passed.orderIds, ...ids].sort());
  });
}
