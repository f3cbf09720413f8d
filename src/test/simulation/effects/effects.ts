import { Code, ConnectError } from "@connectrpc/connect";
import { OrderService } from "../../../../gen/shop/order/v1/order_pb.ts";
import { audit } from "../../../cli/audit/audit.ts";
import type { Caller } from "../../../testing/sim/caller.ts";
import type { World } from "../../../testing/sim/world.ts";
import { holds, type Property } from "../property.ts";
import { openShopFiles, type ShopFiles, skus, userIds } from "./files.ts";
import { isAtRest } from "./rest.ts";
import { simCatalog, simOrder, simUser } from "./shop.ts";

/** Orders of one world, how long trouble lasts, and how long it may take afterwards until all has come to its end. */
const orders = 24;
const troubleMs = 15_000;
const settleMs = 150_000;

/** No caller proves anything: what the contract closes is not asked for here. */
const nobody = async () => undefined;

/** Processes end between any two of their steps, and in the end every event has had its effect once. */
export const effects: Property = {
  name: "effects",
  says: "every accepted order exists once, each event takes effect once everywhere, and no stock is lost or doubled",
  async scenario(world) {
    using files = await world.timeline.outside(openShopFiles);
    const shop = { world, files };
    const some = (most: number) => ({ replicas: world.random.between(1, most), server: { authenticate: nobody } });
    await world.serve("user", simUser(shop), some(2));
    await world.serve("catalog", simCatalog(shop), some(2));
    await world.serve("order", simOrder(shop), some(3));
    const caller = await world.caller("caller");
    const trouble = world.trouble({ withinMs: troubleMs, most: 8 });
    world.meanwhile(crashes(world));
    const accepted = new Map<string, string>();
    const under = Array.from({ length: orders }, (_, n) => placeOne(world, caller, `order-${n}`, accepted));
    for (const one of under) world.meanwhile(one);
    await Promise.all([...under, trouble]);
    holds(accepted.size === orders, `${accepted.size} of ${orders} orders were accepted`);
    await allAtRest(world, files);
    await Promise.all(world.replicas.map((replica) => replica.stop())); // who stands still amid a transaction keeps the audit out
    await world.timeline.outside(() => assertRight(files, accepted));
  },
};

/** Beside all other trouble: a process that ends and begins again, over and over, at any of its steps. */
async function crashes(world: World): Promise<void> {
  const dice = world.random.fork("crashes");
  while (world.now < troubleMs) {
    await world.sleep(dice.between(100, 2_500) + dice());
    const replica = dice.oneOf(world.replicas);
    if (replica.node === undefined) continue;
    const end = world.strike({ kind: "crash", host: replica.name });
    await world.sleep(dice.between(50, 1_500));
    await end();
  }
}

/** Places an order and asks again under the same id until it is accepted; some are cancelled afterwards. */
async function placeOne(world: World, caller: Caller, requestId: string, accepted: Map<string, string>): Promise<void> {
  const dice = world.random.fork(requestId);
  await world.sleep(dice.between(0, troubleMs));
  const client = caller.client(OrderService);
  const items = [{ sku: dice.oneOf(skus), qty: dice.between(1, 3) }];
  const request = { userId: dice.oneOf(userIds), items, requestId };
  const { order } = await persist(world, () => client.createOrder(request));
  accepted.set(requestId, order?.id ?? "");
  if (!dice.chance(0.3)) return;
  await world.sleep(dice.between(0, 400));
  await persist(world, () => client.cancelOrder({ id: order?.id ?? "" }));
}

/** Codes that say "not now". */
const notNow = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.ResourceExhausted, Code.Aborted, Code.Unknown]);

async function persist<T>(world: World, call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (reason) {
      const error = ConnectError.from(reason);
      holds(notNow.has(error.code), `a call failed for good: ${error.message}`);
      holds(world.now < troubleMs + settleMs, `no answer after ${world.now} ms: ${error.message}`);
    }
    await world.sleep(200);
  }
}

async function allAtRest(world: World, files: ShopFiles): Promise<void> {
  const endsAt = world.now + settleMs;
  for (;;) {
    const restless = isAtRest(files);
    if (restless === undefined) return;
    holds(world.now < endsAt, `not at rest ${settleMs} ms after the trouble: ${restless}`);
    await world.sleep(500);
  }
}

async function assertRight(files: ShopFiles, accepted: ReadonlyMap<string, string>): Promise<void> {
  const places = (["user", "catalog", "order"] as const).map((name) => {
    return { name, database: { kind: "sqlite", file: files[name] } as const };
  });
  const told = [...accepted].map(([requestId, orderId]) => ({ requestId, orderId }));
  const { verdict, findings } = await audit({ places, accepted: told });
  const examples = findings.flatMap(({ rule, examples }) => examples.map((example) => `${rule}: ${example}`));
  holds(verdict === "right", `the audit says ${verdict}: ${examples.join("; ")}`);
}
