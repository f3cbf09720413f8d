import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openGatewayShop } from "./gateway-shop.ts";
import { openShop } from "./shop.ts";

/** What the articles' own clients send and expect, in their words: plain HTTP and JSON. */
const shop = await openShop();
const gatewayShop = await openGatewayShop();
afterAll(async () => {
  await gatewayShop[Symbol.asyncDispose]();
  await shop[Symbol.asyncDispose]();
});

/** Where the articles' clients ask: each service at its own port, and all of them at the gateway. */
const { url: gateway } = gatewayShop;
const places = [
  ["at the services", shop.origins, shop.authorization.clerk],
  ["at the gateway", { order: gateway, user: gateway, catalog: gateway }, gatewayShop.clerk],
] as const;

const isoDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const unknownOrder = "00000000-0000-7000-8000-000000000000";

/** The articles' clients have no types: whatever they look for may be there. */
interface Json {
  readonly [key: string]: Json | undefined;
}

interface Answer {
  readonly status: number;
  readonly json: Json;
  readonly header: Headers;
}

async function ask(method: string, url: string, body?: unknown, authorization?: string): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(authorization !== undefined && { authorization }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: JSON.parse(text) as Json, header: response.headers };
}

describe.each(places)("orders, by the synchronous client, %s", (_, origins, clerk) => {
  const orders = `${origins.order}/api/orders`;

  beforeAll(async () => {
    for (let id = 1; id <= 42; id++) {
      await ask("POST", `${origins.user}/api/users`, { name: `User ${id}`, email: `user-${id}@example.com` });
    }
    const price = { currency_code: "EUR", units: 9, nanos: 990_000_000 };
    const product = { sku: "ABC", name: "Loom shuttle", price, stock: 10 };
    expect(await ask("POST", `${origins.catalog}/api/products`, product, clerk)).toMatchObject({ status: 201 });
  });

  test("an order for user 42 is created pending, with its total, in snake_case and numbers", async () => {
    const created = await ask("POST", orders, { user_id: 42, items: [{ sku: "ABC", qty: 2 }] });
    expect(created.status).toBe(201);
    const price = { currency_code: "EUR", units: 9, nanos: 990_000_000 };
    expect(created.json).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      user_id: 42,
      items: [{ sku: "ABC", qty: 2, price }],
      status: "pending",
      total: { currency_code: "EUR", units: 19, nanos: 980_000_000 },
      created_at: expect.stringMatching(isoDate),
      updated_at: expect.stringMatching(isoDate),
      version: 1,
      cancel_reason: "",
    });
    expect(created.header.get("location")).toBe(`/api/orders/${created.json.id}`);
    const found = await ask("GET", `${orders}/${created.json.id}`);
    expect(found).toMatchObject({ status: 200, json: created.json });
    const listed = await ask("GET", `${origins.order}/api/users/42/orders`);
    expect(listed).toMatchObject({ status: 200, json: { orders: [created.json], next_page_token: "" } });
    expect((await ask("GET", `${orders}?user_id=42`)).json).toEqual(listed.json);
  });

  test("camelCase is understood as well", async () => {
    const created = await ask("POST", orders, { userId: 42, items: [{ sku: "ABC", qty: 1 }] });
    expect(created).toMatchObject({ status: 201, json: { user_id: 42 } });
  });

  test("an order that does not exist is 404, and so is one for an unknown user or product", async () => {
    expect((await ask("GET", `${orders}/${unknownOrder}`)).status).toBe(404);
    const nobody = await ask("POST", orders, { user_id: 43, items: [{ sku: "ABC", qty: 2 }] });
    expect(nobody).toMatchObject({ status: 404, json: { message: "user 43 does not exist" } });
    const nothing = await ask("POST", orders, { user_id: 42, items: [{ sku: "XYZ", qty: 2 }] });
    expect(nothing).toMatchObject({ status: 404, json: { message: "product XYZ does not exist" } });
  });
});

describe("without the user service", () => {
  test("an order is 503 in less than 6 s", async () => {
    const startedAt = performance.now();
    const away = `${shop.origins["order-without-user"]}/api/orders`;
    const refused = await ask("POST", away, { user_id: 42, items: [{ sku: "ABC", qty: 2 }] });
    expect(refused).toMatchObject({ status: 503, json: { message: expect.stringContaining("user service is away") } });
    expect(performance.now() - startedAt).toBeLessThan(6_000);
  });
});

describe.each(places)("users, %s", (_, origins) => {
  const users = `${origins.user}/api/users`;

  test("are created, read, listed, changed and deleted", async () => {
    const created = await ask("POST", users, { name: "Alice", email: "alice@example.com" });
    expect(created.status).toBe(201);
    const { id, created_at } = created.json;
    expect(id).toBeTypeOf("number");
    expect(created.json).toMatchObject({ name: "Alice", email: "alice@example.com" });
    expect(created_at).toMatch(isoDate);
    expect(Math.abs(Date.parse(String(created_at)) - Date.now())).toBeLessThan(60_000);

    expect(await ask("GET", `${users}/${id}`)).toMatchObject({ status: 200, json: created.json });
    const { json: list } = await ask("GET", `${users}?page_size=1000`);
    expect(list.users).toContainEqual(created.json);

    const changed = await ask("PUT", `${users}/${id}`, { name: "Alice B." });
    expect(changed).toMatchObject({ status: 200, json: { id, name: "Alice B.", email: "alice@example.com" } });

    expect(await ask("DELETE", `${users}/${id}`)).toMatchObject({ status: 200, json: {} });
    for (const method of ["GET", "DELETE"]) expect((await ask(method, `${users}/${id}`)).status).toBe(404);
    expect((await ask("PUT", `${users}/${id}`, { name: "Eve" })).status).toBe(404);
  });

  test("have an email that no other has", async () => {
    await ask("POST", users, { name: "Bob", email: "bob@example.com" });
    const taken = await ask("POST", users, { name: "Bobby", email: "BOB@example.com" });
    expect(taken).toMatchObject({ status: 409, json: { message: expect.stringContaining("email") } });
  });

  test("have names and emails of at most 100 characters, and both of them", async () => {
    const long = await ask("POST", users, { name: "x".repeat(101), email: "long@example.com" });
    expect(long).toMatchObject({ status: 400, json: { message: expect.stringContaining("name") } });
    const email = `${"x".repeat(60)}@${"y".repeat(40)}.org`;
    expect((await ask("POST", users, { name: "Long", email })).status).toBe(400);
    expect((await ask("POST", users, { name: "Nobody" })).status).toBe(400);
  });
});

describe("Consul's paths", () => {
  const consul = `${shop.origins.discovery}/v1`;

  test("register a service and find it, as the article's client does", async () => {
    const registration = {
      Name: "user-service",
      Address: "127.0.0.1",
      Port: 5001,
      Check: { HTTP: `${shop.origins.user}/health`, Interval: "10s", Timeout: "2s" },
    };
    expect((await ask("PUT", `${consul}/agent/service/register`, registration)).status).toBe(200);
    const passing = () => ask("GET", `${consul}/health/service/user-service?passing=true`);
    await expect.poll(async () => (await passing()).json.length, { interval: 20, timeout: 5_000 }).toBe(1);
    expect((await passing()).json).toEqual([
      {
        Service: {
          ID: "user-service",
          Service: "user-service",
          Address: "127.0.0.1",
          Port: 5001,
          Tags: [],
          Meta: {},
        },
        Checks: [{ Status: "passing", Output: expect.any(String) }],
      },
    ]);
    expect((await ask("PUT", `${consul}/agent/service/deregister/user-service`)).status).toBe(200);
    expect((await passing()).json).toEqual([]);
  });

  test("leave out what does not answer its check", async () => {
    const registration = { Name: "dead", Address: "127.0.0.1", Port: 1, Check: { HTTP: "http://127.0.0.1:1/health" } };
    await ask("PUT", `${consul}/agent/service/register`, registration);
    expect((await ask("GET", `${consul}/health/service/dead?passing=true`)).json).toEqual([]);
    expect((await ask("GET", `${consul}/health/service/dead?passing`)).json).toEqual([]);
    expect((await ask("GET", `${consul}/health/service/dead`)).json).toMatchObject([{ Service: { Port: 1 } }]);
  });

  test("take JSON that is not called so, as Python's requests sends a text", async () => {
    const body = Buffer.from(JSON.stringify({ Name: "untyped", Port: 2 })); // bytes, or fetch would add a type
    const response = await fetch(`${consul}/agent/service/register`, { method: "PUT", body });
    expect([response.status, await response.json()]).toEqual([200, {}]);
  });
});

describe("the registry", () => {
  const services = `${shop.origins.discovery}/api/services`;

  test("registers with 201, gets one and lists all, with status and the time of the last check", async () => {
    const health_check = { http: { url: `${shop.origins.user}/health` } };
    const instance = { name: "products", host: "127.0.0.1", port: 8003, metadata: { team: "loom" }, health_check };
    const created = await ask("POST", services, instance);
    expect(created).toMatchObject({ status: 201, json: { name: "products", weight: 100 } });
    expect(created.header.get("location")).toBe("/api/services/products");
    const statusNow = async () => (await ask("GET", `${services}/products`)).json.status;
    await expect.poll(statusNow, { interval: 20, timeout: 5_000 }).toBe("healthy");
    const { json: one } = await ask("GET", `${services}/products`);
    expect(one.instances).toMatchObject([{ host: "127.0.0.1", port: 8003, status: "healthy" }]);
    expect(one.instances?.[0]?.last_check_time).toMatch(isoDate);
    expect((await ask("GET", services)).json.services).toContainEqual(one);
    expect((await ask("GET", `${services}/nobody`)).status).toBe(404);
  });
});

test.each([
  ["user", "user"],
  ["order", "order"],
  ["catalog", "catalog"],
  ["discovery", "discovery"],
] as const)("GET /health of %s says who is well, and in which version", async (name, service) => {
  const health = await ask("GET", `${shop.origins[name]}/health`);
  expect(health).toMatchObject({ status: 200, json: { status: "healthy", service, version: "1.2.3" } });
  expect(Object.keys(health.json)).toEqual(["status", "service", "version"]);
});
