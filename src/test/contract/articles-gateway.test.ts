import { Code } from "@connectrpc/connect";
import { afterAll, describe, expect, test, vi } from "vitest";
import { echo, echoContract, isRouted, until } from "../suites/gateway-parts.ts";
import { openGatewayShop } from "./gateway-shop.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

/** What the article's gateway promises of every service behind it. */
const shop = await openGatewayShop();
afterAll(() => shop[Symbol.asyncDispose]());

interface Answer {
  readonly status: number;
  readonly json: unknown;
  readonly header: Headers;
}

async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  const headers = { "content-type": "application/json", authorization: shop.clerk };
  const answer = await fetch(shop.url + path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, json: await answer.json(), header: answer.headers };
}

const price = { currency_code: "EUR", units: 9, nanos: 990_000_000 };

describe("/api/<service>", () => {
  test("passes GET, POST, PUT and DELETE on to products, which the article leaves out", async () => {
    const created = await ask("POST", "/api/products", { sku: "ABC", name: "Loom shuttle", price, stock: 10 });
    expect(created).toMatchObject({ status: 201, json: { sku: "ABC", price, stock: 10 } });
    expect(created.header.get("location")).toBe("/api/products/ABC");
    expect(await ask("GET", "/api/products/ABC")).toMatchObject({ status: 200, json: created.json });
    expect(await ask("PUT", "/api/products/ABC", { stock: 9 })).toMatchObject({ status: 200, json: { stock: 9 } });
    expect(await ask("GET", "/api/products")).toMatchObject({ json: { products: [{ sku: "ABC", stock: 9 }] } });
    expect(await ask("DELETE", "/api/products/ABC")).toMatchObject({ status: 200, json: {} });
    expect(await ask("GET", "/api/products/ABC")).toMatchObject({ status: 404 });
  });

  test.each(["GET", "POST", "PUT", "DELETE"])("answers %s of a service that there is not with 404", async (method) => {
    const answer = await ask(method, "/api/warehouses/1", method === "POST" || method === "PUT" ? {} : undefined);
    const message = `nothing is served at ${method} /api/warehouses/1`;
    expect(answer).toMatchObject({ status: 404, json: { code: Code.NotFound, message } });
    expect(answer.header.get("content-type")).toBe("application/json");
  });

  test.each([
    ["DELETE", "/api/users", "GET, HEAD, POST"],
    ["PATCH", "/api/orders", "GET, HEAD, POST"],
    ["POST", "/api/users/1", "DELETE, GET, HEAD, PATCH, PUT"],
    ["DELETE", "/api/orders/1", "GET, HEAD"],
  ])("answers %s %s with 405, and says what is allowed", async (method, path, allow) => {
    const answer = await ask(method, path, method === "DELETE" ? undefined : {});
    expect([answer.status, answer.header.get("allow")]).toEqual([405, allow]);
    expect(answer).toMatchObject({ json: { message: `${method} is not allowed here; allowed: ${allow}` } });
  });
});

/** Hangs until nobody waits any more, and says how long it was given. */
function hanging() {
  const given: (number | undefined)[] = [];
  const one = (_: unknown, { signal, timeoutMs }: { signal: AbortSignal; timeoutMs(): number | undefined }) => {
    given.push(timeoutMs());
    return new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  return { given, one };
}

const note = (base: string, header: Record<string, string> = {}) =>
  fetch(`${base}/echo.v1.EchoService/One`, {
    method: "POST",
    headers: { "content-type": "application/json", ...header },
    body: '{"text":"a"}',
  });

test("an upstream has 5 s where its contract does not say; one that takes longer than it has is 504", async () => {
  const service = hanging();
  await using _ = await shop.town.join("echo", [[echoContract(), { ...echo, one: service.one }]]);
  await using hasty = await shop.town.gateway({ upstreamTimeoutMs: 250 });
  const at = `http://127.0.0.1:${hasty.port}`;
  const late = await until(() => note(at), isRouted);
  expect(late.status).toBe(504);
  expect(await late.json()).toMatchObject({ code: "deadline_exceeded" });
  service.given.length = 0;
  await until(() => note(shop.url, { "connect-timeout-ms": "100" }), isRouted); // so that it is routed there, too
  service.given.length = 0;
  const leaving = new AbortController();
  const asked = fetch(`${shop.url}/echo.v1.EchoService/One`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"text":"a"}',
    signal: leaving.signal,
  });
  await expect.poll(() => service.given.length, { interval: 20, timeout: 10_000 }).toBeGreaterThan(0);
  leaving.abort();
  await expect(asked).rejects.toThrow();
  expect(service.given[0]).toBeGreaterThan(2_500);
  expect(service.given[0]).toBeLessThanOrEqual(5_000);
});

test("with a service away its paths are 503 at once, /health says so, the others go on, and the overview does without it", async () => {
  const { json: user } = await ask("POST", "/api/users", { name: "Ann", email: "ann@example.com" });
  const { id } = user as { id: number };
  await ask("POST", "/api/products", { sku: "XYZ", name: "Bobbin", price, stock: 10 });
  const ordered = await ask("POST", "/api/orders", { user_id: id, items: [{ sku: "XYZ", qty: 2 }] });
  expect(ordered.status).toBe(201);
  const overview = () => ask("GET", `/api/users/${id}/overview`);
  expect((await overview()).json).toEqual({
    user,
    orders: [ordered.json],
    products: [expect.objectContaining({ sku: "XYZ" })],
  });

  await shop.parts.catalog.drain();
  const products = await until(
    () => ask("GET", "/api/products"),
    ({ status }) => status !== 200,
  );
  expect(products).toMatchObject({ status: 503, json: { code: Code.Unavailable } });
  const health = await until(
    () => ask("GET", "/health"),
    ({ json }) => JSON.stringify(json).includes('"unavailable"'),
  );
  expect(health).toMatchObject({
    status: 200,
    json: { service: "gateway", services: { catalog: { status: "unavailable" }, user: { status: "healthy" } } },
  });
  expect(await ask("GET", `/api/users/${id}`)).toMatchObject({ status: 200, json: user });
  const without = await overview();
  expect(without).toMatchObject({ status: 200, json: { user, orders: [ordered.json] } });
  expect(without).toMatchObject({
    json: { partial: [{ part: "products", code: Code.Unavailable, message: "its service is away", missing: 1 }] },
  });

  await shop.parts.user.drain();
  const refused = await until(
    () => ask("POST", "/api/orders", { user_id: id, items: [{ sku: "XYZ", qty: 2 }] }),
    ({ json }) => JSON.stringify(json).includes("user service is away"),
  );
  expect(refused.status).toBe(503);
  expect((await overview()).status).toBe(503); // a user's overview without the user is none
});
