import { expect, test } from "vitest";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { openGateway } from "../../gateway/gateway.ts";
import { openRedisBuckets } from "../../store/redis-buckets.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { eventually } from "../../testing/eventually.ts";
import { freePort } from "../../testing/free-port.ts";
import { openTown, until } from "../suites/gateway-parts.ts";
import { openRedis } from "./redis.ts";

// CancelOrder: 20 a second, 40 at once. Slow machines only make fewer calls come at once, never more pass.

/** A gateway of the town that keeps its limits in the Redis of the port. */
async function openSharing(town: Awaited<ReturnType<typeof openTown>>, port: number) {
  const metrics = createMetrics({ service: "gateway" });
  const gateway = await town.gateway({ redisUrl: `redis://127.0.0.1:${port}`, metrics, trustedProxies: ["127.0.0.1"] });
  const url = `http://127.0.0.1:${gateway.port}/v1/orders/o`;
  await until(
    () => fetch(url),
    ({ status }) => status === 200,
  );
  /** How many of so many calls of the caller, made together, got through. */
  const cancelled = async (count: number, caller: string) => {
    const headers = { "x-forwarded-for": caller };
    const calls = Array.from({ length: count }, () => fetch(`${url}:cancel`, { method: "POST", headers }));
    return (await Promise.all(calls)).filter(({ status }) => status === 200).length;
  };
  const isSharing = async () => /heddle_rate_limits_shared{[^}]*} 1/.test(await metrics.metrics());
  return { cancelled, isSharing, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}

/** A town with an order service. */
async function openOrders() {
  await using own = new AsyncDisposableStack();
  const town = own.use(await openTown());
  const order = ({ id }: { id: string }) => ({ order: { id } });
  own.use(await town.join("order", [[OrderService, { cancelOrder: order, getOrder: order }]]));
  const all = own.move();
  return { town, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Both at once, and how long they took together, in seconds. */
async function timed(...calls: readonly (() => Promise<number>)[]) {
  const startedAt = systemClock.now();
  const passed = await Promise.all(calls.map((call) => call()));
  return { total: passed.reduce((sum, one) => sum + one, 0), seconds: (systemClock.now() - startedAt) / 1_000 };
}

test("gateways with one Redis share the buckets of their callers; another caller has his own", async () => {
  const port = await freePort();
  await using _redis = await openRedis(port);
  await using orders = await openOrders();
  await using one = await openSharing(orders.town, port);
  await using other = await openSharing(orders.town, port);
  const { total, seconds } = await timed(
    () => one.cancelled(60, "192.0.2.1"),
    () => other.cancelled(60, "192.0.2.1"),
  );
  expect(total).toBeGreaterThanOrEqual(40);
  expect(total).toBeLessThanOrEqual(40 + 20 * seconds);
  expect(await other.cancelled(30, "192.0.2.2")).toBe(30);
});

test("while Redis is killed each gateway goes on by itself; when it is back they share again", async () => {
  const port = await freePort();
  await using orders = await openOrders();
  await using own = new AsyncDisposableStack();
  const redis = own.use(await openRedis(port));
  const one = own.use(await openSharing(orders.town, port));
  const other = own.use(await openSharing(orders.town, port));
  expect(await one.cancelled(10, "192.0.2.1")).toBe(10);
  expect(await one.isSharing()).toBe(true);

  await redis.kill();
  const { total, seconds } = await timed(
    () => one.cancelled(60, "192.0.2.3"),
    () => other.cancelled(60, "192.0.2.3"),
  );
  expect(total).toBeGreaterThanOrEqual(80); // 40 by each
  expect(total).toBeLessThanOrEqual(80 + 40 * seconds);
  expect(await one.isSharing()).toBe(false);

  own.use(await openRedis(port));
  for (const [i, gateway] of [one, other].entries()) {
    await eventually("limits are shared again", async () => {
      await gateway.cancelled(1, `192.0.2.${10 + i}`);
      return gateway.isSharing();
    });
  }
  const again = await timed(
    () => one.cancelled(60, "192.0.2.4"),
    () => other.cancelled(60, "192.0.2.4"),
  );
  expect(again.total).toBeGreaterThanOrEqual(40);
  expect(again.total).toBeLessThanOrEqual(40 + 20 * again.seconds);
});

test("a Redis that hangs holds no call up, and is used again once it answers", async () => {
  const port = await freePort();
  await using orders = await openOrders();
  await using redis = await openRedis(port);
  await using gateway = await openSharing(orders.town, port);
  expect(await gateway.cancelled(5, "192.0.2.1")).toBe(5);
  redis.freeze();
  for (let call = 0; call < 30; call++) expect(await gateway.cancelled(1, `192.0.2.${call}`)).toBe(1);
  expect(await gateway.isSharing()).toBe(false);
  redis.thaw();
  await eventually("limits are shared again", async () => {
    await gateway.cancelled(1, "192.0.2.100");
    return gateway.isSharing();
  });
});

test("a gateway starts without its Redis, and shares once it is there", async () => {
  const port = await freePort();
  await using orders = await openOrders();
  await using gateway = await openSharing(orders.town, port);
  expect(await gateway.cancelled(5, "192.0.2.1")).toBe(5);
  expect(await gateway.isSharing()).toBe(false);
  await using _redis = await openRedis(port);
  await eventually("limits are shared", async () => {
    await gateway.cancelled(1, "192.0.2.100");
    return gateway.isSharing();
  });
});

test("a Redis that refuses us stops the start with the setting's name, and without the password", async () => {
  const port = await freePort();
  await using _redis = await openRedis(port, "--requirepass", "right");
  const start = (redisUrl: string) =>
    openGateway({ port: 0, discovery: "127.0.0.1:1", signals: false, log: silentLogger, redisUrl });
  const named = (user: string) =>
    new RegExp(`^REDIS_URL=redis://${user}127\\.0\\.0\\.1:${port} cannot be used: .*; mend its user, password`);
  await expect(start(`redis://:wrong@127.0.0.1:${port}`)).rejects.toThrow(named(":\\*\\*\\*@"));
  await expect(start(`redis://127.0.0.1:${port}`)).rejects.toThrow(named(""));
  const log = silentLogger;
  await using buckets = await openRedisBuckets({
    redisUrl: `redis://:right@127.0.0.1:${port}/3`,
    prefix: "test:",
    clock: systemClock,
    log,
  });
  const limit = { calls: 1, periodMs: 60_000, burst: 2 };
  const waits = [];
  for (let i = 0; i < 3; i++) waits.push((await buckets.draw("a", limit)).waitMs > 0);
  expect(waits).toEqual([false, false, true]);
});
