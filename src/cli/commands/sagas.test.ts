import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { SagaService } from "../../../gen/heddle/saga/v1/saga_pb.ts";
import { fireDue } from "../../events/saga/saga-timers.ts";
import { bearerTokens } from "../../security/bearer-tokens.ts";
import { orderRows } from "../../services/order/order-entity.ts";
import { openStore } from "../../store/orm.ts";
import { openTown } from "../../test/suites/gateway-parts.ts";
import { orderParts } from "../../test/suites/order-parts.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { issuerKey, tokenBy } from "../../testing/token-issuer.ts";
import { runCli } from "../run-cli.ts";
import { sagas } from "./sagas.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

/** Discovery, and an order service with the sagas of two orders: one on its way, one stuck in giving stock back. */
async function openOrders() {
  await using own = new AsyncDisposableStack();
  const town = own.use(await openTown());
  const database = own.use(await openDatabase());
  const store = own.use(await openStore({ ...orderRows, ...database }));
  const clock = fakeClock();
  const { placeOrder, timers, sagas: implementation } = orderParts(store, clock);
  const order = { userId: 7n, lines: [{ sku: "ABC", qty: 1, priceUnits: "1", priceNanos: 0 }], currency: "EUR" };
  const place = (id: string) =>
    store.unit((em) => placeOrder.create({ em, now: clock.wall() }, { ...order, id, totalUnits: 1n, totalNanos: 0 }));
  await place("o-stuck");
  await store.unit((em) => placeOrder.cancelById({ em, id: "o-stuck", now: clock.wall(), reason: "changed my mind" }));
  await clock.advance(60_000);
  await fireDue(timers);
  await place("o-running");
  const key = await issuerKey();
  const audience = { issuer: "https://issuer.example", audience: "shop" };
  const authenticate = bearerTokens({ jwks: { keys: [key.publicJwk] }, ...audience });
  own.use(await town.join("order", [[SagaService, implementation]], { authenticate }));
  const token = await tokenBy(key, { claims: { scope: "sagas:write" } });
  const all = own.move();
  return { heddle: heddleAt(town.address, token), [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function heddleAt(discovery: string, token: string, more: NodeJS.ProcessEnv = {}) {
  const home = mkdtempSync(join(tmpdir(), "heddle-sagas-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  return async (...args: string[]) => {
    let out = "";
    const write = (text: string) => {
      out += text;
    };
    const env = { HEDDLE_HOME: home, HEDDLE_DISCOVERY: discovery, HEDDLE_TOKEN: token, ...more };
    const outside = { clock: fakeClock(), interrupted: new AbortController().signal, plan: [], commands: [sagas] };
    const status = await runCli({ ...outside, args: ["sagas", ...args], env, stdout: { write }, stderr: { write } });
    return { status, out };
  };
}

test("sagas that have not ended are listed, those that are stuck by themselves and with status 1", async () => {
  await using orders = await openOrders();
  const all = await orders.heddle("list");
  expect(all.status).toBe(0);
  expect(all.out).toMatch(
    /o-stuck +order +place-order +stuck +release-stock .* release-stock had no answer within 60 s/,
  );
  expect(all.out).toMatch(/o-running +order +place-order +running +reserve-stock/);
  const stuck = await orders.heddle("list", "--stuck");
  expect(stuck.status).toBe(1);
  expect(stuck.out).not.toContain("o-running");
  const none = await orders.heddle("list", "--state", "completed");
  expect(none).toEqual({ status: 0, out: "There is none.\n" });
  const told = JSON.parse((await orders.heddle("list", "--state", "stuck", "--json")).out);
  expect(told).toMatchObject([{ service: "order", id: "o-stuck", state: "stuck" }]);
});

test("a saga is shown with what it has been through", async () => {
  await using orders = await openOrders();
  const { status, out } = await orders.heddle("show", "o-stuck");
  expect(status).toBe(0);
  expect(out).toMatch(/compensating +release-stock +changed my mind\n.* stuck +release-stock/);
  const told = JSON.parse((await orders.heddle("show", "o-stuck", "--json")).out);
  expect(told.history.map(({ state }: { state: string }) => state)).toEqual(["running", "compensating", "stuck"]);
});

test("a stuck saga is tried again, and ended by hand when that does not help", async () => {
  await using orders = await openOrders();
  const again = await orders.heddle("retry", "o-stuck");
  expect(again.status).toBe(0);
  expect(again.out).toMatch(/o-stuck +order +place-order +compensating/);
  const cancelled = await orders.heddle("cancel", "o-running", "--reason", "fraud", "--json");
  expect(JSON.parse(cancelled.out)).toMatchObject({ id: "o-running", state: "compensating", reason: "fraud" });
});

test("a saga that nobody knows, and one that cannot be changed, end with status 1 and say so", async () => {
  await using orders = await openOrders();
  expect(await orders.heddle("retry", "nope")).toMatchObject({
    status: 1,
    out: expect.stringContaining("Nobody knows"),
  });
  await orders.heddle("cancel", "o-stuck");
  const ended = await orders.heddle("retry", "o-stuck");
  expect(ended.status).toBe(1);
  expect(ended.out).toContain("It could not be done: the saga place-order of o-stuck has ended, compensated");
});

test("without discovery nobody can be asked", async () => {
  const heddle = heddleAt("127.0.0.1:1", "token");
  expect(await heddle("list")).toMatchObject({ status: 1, out: expect.stringContaining("Nobody can be asked") });
});

test.each([
  [[], /needs to know what: list, show, retry, cancel/],
  [["lst"], /does not know "lst": did you mean list\?/],
  [["show"], /the saga's ID is missing: heddle sagas show ID/],
  [["show", "a", "b"], /"b" is too much/],
  [["list", "a"], /"a" is too much/],
  [["list", "--reason", "x"], /list takes no --reason/],
  [["list", "--state", "stuk"], /--state=stuk is no state of a saga: did you mean stuck\?/],
  [["list", "--state", "stuck", "--stuck"], /--state or --stuck, not both/],
])("heddle sagas %j is refused with what is wrong", async (args, message) => {
  const { status, out } = await heddleAt("127.0.0.1:1", "token")(...args);
  expect(status).not.toBe(0);
  expect(out).toMatch(message);
});

test("where the keys of development are not taken, HEDDLE_TOKEN is asked for", async () => {
  const heddle = heddleAt("127.0.0.1:1", "", { NODE_ENV: "production" });
  const { out } = await heddle("retry", "x");
  expect(out).toMatch(/set HEDDLE_TOKEN to a bearer token with the scope sagas:write/);
});
