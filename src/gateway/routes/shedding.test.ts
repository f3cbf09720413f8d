import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { errorReason } from "../../call/errors.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { annService, openTown, transportsTo, until } from "../../test/suites/gateway-parts.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import type { GatewayOptions } from "../options.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

/** A gateway whose time a test moves, and whose event loop is as busy as the test says. */
async function openShop(options: GatewayOptions = {}) {
  await using own = new AsyncDisposableStack();
  const town = own.use(await openTown());
  const seen: Headers[] = [];
  own.use(await town.join("user", [[UserService, annService(seen)]]));
  const clock = fakeClock();
  const loop = { now: { utilization: 0, delayMs: 0 } };
  const metrics = createMetrics({ service: "gateway" });
  const gateway = own.use(await town.gateway({ clock, metrics, loop: () => ({ read: () => loop.now }), ...options }));
  const get = (headers: HeadersInit = {}) => fetch(`http://127.0.0.1:${gateway.port}/v1/users/1`, { headers });
  await until(get, ({ status }) => status === 200);
  /** Lets the loop be so slow, for so long, that nearly everybody has to be refused. */
  const overload = async () => {
    loop.now = { utilization: 1, delayMs: 900 };
    for (let look = 0; look < 40; look++) {
      await clock.advance(100);
      await get();
    }
    seen.length = 0;
  };
  const all = own.move();
  return { gateway, get, overload, loop, clock, seen, metrics, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

test("an overloaded gateway refuses calls over every protocol, says when to ask again, and asks no service", async () => {
  await using shop = await openShop();
  await shop.overload();
  const refused = await shop.get();
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  expect(await refused.json()).toMatchObject({
    code: 8,
    details: [{ reason: "OVERLOADED" }, { retryDelay: "0.900s" }],
  });
  for (const [protocol, transport] of transportsTo(shop.gateway.port)) {
    const error = await createClient(UserService, transport)
      .getUser({ id: 1n })
      .then(() => undefined, ConnectError.from);
    expect(error?.code, protocol).toBe(Code.ResourceExhausted);
    expect(error && errorReason(error)).toMatchObject({ metadata: { limit: "event-loop-delay" } });
    expect(error?.findDetails(RetryInfoSchema)).toHaveLength(1);
  }
  expect(shop.seen).toEqual([]);
  const told = await shop.metrics.metrics();
  expect(told).toMatch(/heddle_server_calls_refused_total{[^}]*method="GetUser",reason="overloaded"[^}]*} \d+/);
  expect((await fetch(`http://127.0.0.1:${shop.gateway.port}/health`)).status).toBe(200);
});

test("what matters less is refused first", async () => {
  await using shop = await openShop();
  shop.loop.now = { utilization: 1, delayMs: 300 };
  const answered = { sheddable: 0, normal: 0 };
  for (let look = 0; look < 30; look++) {
    await shop.clock.advance(100);
    for (const kind of ["sheddable", "normal"] as const) {
      if ((await shop.get({ "heddle-criticality": kind })).status === 200) answered[kind]++;
    }
  }
  expect(answered.normal).toBe(30);
  expect(answered.sheddable).toBeLessThan(30);
});

test("a gateway that is told to refuses nobody", async () => {
  await using shop = await openShop({ limits: false });
  await shop.overload();
  expect((await shop.get()).status).toBe(200);
});
