import { eventually } from "../../testing/eventually.ts";
import { type Cluster, openCluster } from "../../testing/open-cluster.ts";
import { type EventStack, openEventStack, type StackName } from "./event-stack.ts";
import { type RestAnswer, restOk } from "./rest.ts";

type Body = RestAnswer["body"];

/** A shop behind its gateway, and somebody who orders there. */
export interface EventShop extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly broker: EventStack["broker"];
  /** "host:port" of the gateway. */
  readonly address: string;
  readonly userId: string;
  /** How many of ABC are free. */
  stock(): Promise<number>;
  /** Orders so many of ABC. */
  order(qty: number): Promise<Body>;
  /** Orders one of ABC, so many times, one after the other. */
  orderTimes(count: number): Promise<readonly Body[]>;
  cancel(order: Body): Promise<Body>;
  /** The order as it is when it is no longer pending. */
  settled(order: Body): Promise<Body>;
  /** The order as its user's list shows it, when it shows it so. */
  listedAs(order: Body, status: string): Promise<Body>;
  /** Prints what all programs have written. */
  readonly showLogs: () => void;
}

/** The whole shop as real programs: two of users and orders, and one catalog with stock. `orderEnv` is what its orders are told. */
export async function openEventShop(
  name: StackName,
  orderEnv: Readonly<Record<string, string>> = {},
): Promise<EventShop> {
  await using opening = new AsyncDisposableStack();
  const { env, envOf: stackEnvOf, broker } = opening.use(await openEventStack(name));
  const envOf = { ...stackEnvOf, order: { ...stackEnvOf.order, ...orderEnv } };
  const replicas = { user: 2, catalog: 1, order: 2, gateway: 1 };
  let showLogs = () => {};
  const onFailure = (show: () => void) => {
    showLogs = show;
  };
  const cluster = opening.use(
    await openCluster({ replicas, env, envOf, onFailure }).catch((reason) => {
      showLogs();
      throw reason;
    }),
  );
  const { address } = cluster.replica("gateway");
  const userId = await somebody(address);
  const own = opening.move();
  const order = (qty: number) =>
    eventually("an order is taken", () => restOk(address, orders, { userId, items: [{ sku: "ABC", qty }] }));
  const [orders, list] = ["/v1/orders", `/v1/users/${userId}/order-list?pageSize=1000`];
  return {
    cluster,
    broker,
    address,
    userId,
    stock: async () => Number((await restOk(address, "/v1/products/ABC")).stock),
    order,
    async orderTimes(count) {
      const made: Body[] = [];
      while (made.length < count) made.push(await order(1));
      return made;
    },
    cancel: ({ id }) => restOk(address, `${orders}/${id}:cancel`, { reason: "changed my mind" }),
    settled: ({ id }) =>
      eventually(
        `order ${id} is settled`,
        async () => {
          const order = await restOk(address, `${orders}/${id}`);
          return order.status !== "ORDER_STATUS_PENDING" && order;
        },
        { withinMs: 60_000 },
      ),
    listedAs: ({ id }, status) =>
      eventually(
        `order ${id} is listed as ${status}`,
        async () => {
          const listed = (await restOk(address, list)).orders as readonly Body[] | undefined;
          return listed?.find((order) => order.orderId === id && order.status === status);
        },
        { withinMs: 60_000 },
      ),
    showLogs,
    [Symbol.asyncDispose]: () => own.disposeAsync(),
  };
}

/** A new user of the shop, once the gateway knows all three services. */
async function somebody(address: string): Promise<string> {
  const ada = { name: "Ada", email: "ada@example.com", requestId: "ada" };
  const user = await eventually("the gateway knows the users", () => restOk(address, "/v1/users", ada));
  for (const path of ["/v1/orders", "/v1/products/ABC"]) {
    await eventually(`the gateway knows ${path}`, () => restOk(address, path));
  }
  return String(user.id);
}
