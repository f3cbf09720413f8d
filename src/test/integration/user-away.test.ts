import { Code } from "@connectrpc/connect";
import { expect, onTestFailed, test } from "vitest";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { serve } from "../../app/run.ts";
import { silentLogger } from "../../base/log.ts";
import { eventually } from "../../testing/eventually.ts";
import { openCluster } from "../../testing/open-cluster.ts";
import { rest, restOk } from "./rest.ts";
import { openShop } from "./shop.ts";

const envOf = { catalog: { SEED: "true" } };
const items = [{ sku: "ABC", qty: 2 }];

/** How long it took, with how it ended. */
async function timed<T>(
  call: Promise<T>,
): Promise<{ readonly tookMs: number; readonly ended: PromiseSettledResult<T> }> {
  const startedAt = performance.now();
  const [ended] = await Promise.allSettled([call]);
  return { tookMs: performance.now() - startedAt, ended };
}

test("without a user service an order is UNAVAILABLE, 503 over REST, in less than 6 s", async () => {
  const replicas = { user: 1, catalog: 1, order: 1, gateway: 1 };
  await using cluster = await openCluster({ replicas, envOf, onFailure: onTestFailed });
  await using mesh = await cluster.openMesh();
  const { orders, userId } = await openShop(mesh);
  const gateway = cluster.replica("gateway").address;
  await eventually("the gateway knows the orders", () => restOk(gateway, "/v1/orders"));
  await orders.createOrder({ userId, items }); // it was there

  await cluster.replica("user").terminate();
  const called = await timed(orders.createOrder({ userId, items }));
  expect(called.ended).toMatchObject({ status: "rejected", reason: { code: Code.Unavailable } });
  expect(called.tookMs).toBeLessThan(6_000);
  const posted = await timed(rest(gateway, "/api/orders", { user_id: String(userId), items }));
  expect(posted.ended).toMatchObject({ status: "fulfilled", value: { status: 503 } });
  expect(posted.tookMs).toBeLessThan(6_000);
});

test("a deadline is one for the whole chain: order asks user with what is left of it, and 504 is what REST says", async () => {
  const replicas = { catalog: 1, order: 1, gateway: 1 };
  await using cluster = await openCluster({ replicas, envOf, onFailure: onTestFailed });
  const left: (number | undefined)[] = [];
  // Stands in for the user service: registered like it, and never answers.
  await using _users = await serve({
    name: "user",
    discovery: cluster.discoveryAddress,
    signals: false,
    log: silentLogger,
    drainMs: 0,
    services: [
      [
        UserService,
        {
          getUser(_, { timeoutMs, signal }) {
            left.push(timeoutMs());
            return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
          },
        },
      ],
    ],
  });
  await using mesh = await cluster.openMesh();
  const orders = mesh.client(OrderService);
  await expect(orders.createOrder({ userId: 1n, items }, { timeoutMs: 250 })).rejects.toMatchObject({
    code: Code.DeadlineExceeded,
  });
  expect(left[0]).toBeGreaterThan(0);
  expect(left[0]).toBeLessThanOrEqual(250); // the contract alone would give 400

  const gateway = cluster.replica("gateway").address;
  const read = () => rest(gateway, "/v1/users/1");
  const late = await eventually("the gateway asks the user service", async () => {
    const answer = await timed(read());
    return answer.ended.status === "fulfilled" && answer.ended.value.status === 504 && answer;
  });
  expect(late.tookMs).toBeLessThan(3_000);
});
