import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError, createClient, type Interceptor, type ServiceImpl } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, onTestFinished, test, vi } from "vitest";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { serve } from "../../app/run.ts";
import { silentLogger } from "../../base/log.ts";
import { errorReason } from "../../call/errors.ts";
import { openTown, transportsTo, until } from "../../test/suites/gateway-parts.ts";
import { type IssuerKey, issuerKey, tokenBy } from "../../testing/token-issuer.ts";
import { defaultEngine } from "../../wire/engines.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

const [first, second] = [await issuerKey(), await issuerKey("RS256")];
const about = { issuer: "https://issuer.example", audience: "shop" };
const price = { currencyCode: "EUR", units: 9n, nanos: 0 };
const product = { sku: "ABC", name: "Shuttle", price };
const body = JSON.stringify({ ...product, price: { ...price, units: "9" } });

/** An identity provider that tells keys over HTTP. */
async function openProvider(...keys: readonly IssuerKey[]) {
  const told = { keys };
  const server = await defaultEngine.listen({
    host: "127.0.0.1",
    port: 0,
    async handler() {
      const json = JSON.stringify({ keys: told.keys.map(({ publicJwk }) => publicJwk) });
      const text = (async function* () {
        yield new TextEncoder().encode(json);
      })();
      return { status: 200, header: new Headers({ "content-type": "application/json" }), body: text };
    },
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return Object.assign(told, { jwks: `http://127.0.0.1:${server.port}/jwks.json` });
}

/** A catalog that counts its writes, behind a gateway; each with the tokens it is given. */
async function openShop({ jwks, atGateway = true }: { readonly jwks: string; readonly atGateway?: boolean }) {
  await using own = new AsyncDisposableStack();
  const town = own.use(await openTown());
  const writes: (string | null)[] = [];
  const implementation: Partial<ServiceImpl<typeof CatalogService>> = {
    createProduct: (_, { requestHeader }) => {
      writes.push(requestHeader.get("authorization"));
      return { product };
    },
    listProducts: () => ({ products: [] }),
  };
  const tokens = { ...about, jwks };
  const quiet = { log: silentLogger, signals: false, drainMs: 0 } as const;
  const services = [[CatalogService, implementation]] as const;
  const catalog = own.use(await serve({ ...quiet, name: "catalog", services, discovery: town.address, tokens }));
  const gateway = own.use(await town.gateway(atGateway ? { tokens } : {}));
  const url = `http://127.0.0.1:${gateway.port}`;
  await until(
    () => fetch(`${url}/v1/products`),
    ({ status }) => status === 200,
  );
  const all = own.move();
  onTestFinished(() => all.disposeAsync());
  return { url, writes, gateway, catalog };
}

const bearer = async (key: IssuerKey, claims = {}) => `Bearer ${await tokenBy(key, { claims })}`;

function post(url: string, authorization?: string) {
  const headers = { "content-type": "application/json", ...(authorization && { authorization }) };
  return fetch(`${url}/v1/products`, { method: "POST", headers, body });
}

/** How a call of the method ends, whichever way it goes: "answered", or code and reason. */
async function fate(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return "answered";
  } catch (reason) {
    const error = ConnectError.from(reason);
    return `${Code[error.code]} ${errorReason(error)?.reason ?? error.message}`;
  }
}

test("a method that asks for a scope answers who has it, in every protocol, and nobody else; others are open", async () => {
  const { url, gateway, writes } = await openShop(await openProvider(first));
  const [clerk, reader] = [await bearer(first), await bearer(first, { scope: "orders:read" })];
  for (const [protocol, transport] of transportsTo(gateway.port)) {
    const create = (authorization?: string) =>
      fate(() =>
        createClient(CatalogService, transport).createProduct(product, {
          headers: authorization ? { authorization } : {},
        }),
      );
    expect([protocol, await create()]).toEqual([protocol, "Unauthenticated CREDENTIALS_MISSING"]);
    expect([protocol, await create(reader)]).toEqual([protocol, "PermissionDenied SCOPE_MISSING"]);
    expect([protocol, await create(`${clerk}x`)]).toEqual([protocol, "Unauthenticated TOKEN_INVALID"]);
    expect([protocol, await create(clerk)]).toEqual([protocol, "answered"]);
  }
  expect(writes).toEqual(Array.from(transportsTo(gateway.port), () => clerk)); // and the service is told who calls
  expect((await fetch(`${url}/v1/products`)).status).toBe(200);
});

test("REST says 401 and 403 with the challenge that HTTP has for it", async () => {
  const { url } = await openShop(await openProvider(first));
  const told = async (authorization?: string) => {
    const { status, headers } = await post(url, authorization);
    return [status, headers.get("www-authenticate")];
  };
  expect(await told()).toEqual([401, 'Bearer realm="heddle", scope="products:write"']);
  expect(await told(await bearer(first, { exp: 1 }))).toEqual([
    401,
    'Bearer realm="heddle", error="invalid_token", error_description="the token has expired: get a new one"',
  ]);
  expect(await told(await bearer(first, { scope: "" }))).toEqual([
    403,
    'Bearer realm="heddle", error="insufficient_scope", scope="products:write"',
  ]);
  expect((await post(url, await bearer(first))).status).toBe(201);
});

test("the gateway refuses by itself: the service hears nothing of it", async () => {
  const { url, writes, catalog } = await openShop(await openProvider(first));
  await catalog.drain(); // nobody is left who could refuse
  expect((await post(url)).status).toBe(401);
  expect((await post(url, await bearer(second))).status).toBe(401);
  expect(writes).toEqual([]);
});

test("a direct call to the service is refused without a token, whatever the gateway does", async () => {
  const { catalog, writes } = await openShop(await openProvider(first));
  const withHeader = (authorization: string | undefined): Interceptor => {
    return (next) => (req) => {
      if (authorization !== undefined) req.header.set("authorization", authorization);
      return next(req);
    };
  };
  const direct = async (authorization?: string) => {
    const baseUrl = `http://127.0.0.1:${catalog.port}`;
    const transport = createGrpcTransport({ baseUrl, interceptors: [withHeader(authorization)] });
    return fate(() => createClient(CatalogService, transport).createProduct(product));
  };
  expect(await direct()).toBe("Unauthenticated CREDENTIALS_MISSING");
  expect(await direct(await bearer(second))).toBe("Unauthenticated TOKEN_INVALID");
  expect((await post(`http://127.0.0.1:${catalog.port}`)).status).toBe(401);
  expect(writes).toEqual([]);
  expect(await direct(await bearer(first))).toBe("answered");
});

test("a key that is added to a file is taken beside the old one, by gateway and service, without a restart", async () => {
  const dir = mkdtempSync(join(tmpdir(), "heddle-keys-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const jwks = join(dir, "jwks.json");
  const write = (...keys: readonly IssuerKey[]) =>
    writeFileSync(jwks, JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) }));
  write(first);
  const { url } = await openShop({ jwks });
  const old = await bearer(first);
  expect((await post(url, old)).status).toBe(201);
  expect((await post(url, await bearer(second))).status).toBe(401);
  write(first, second);
  expect((await post(url, await bearer(second))).status).toBe(201);
  expect((await post(url, old)).status).toBe(201);
  write(second);
  await until(
    () => post(url, old),
    ({ status }) => status === 401,
  );
  expect((await post(url, await bearer(second))).status).toBe(201);
});

test("a gateway without keys passes no call on to a method that asks for access, and says so on its page", async () => {
  const { url, writes } = await openShop({ ...(await openProvider(first)), atGateway: false });
  const answer = await post(url, await bearer(first));
  expect(answer.status).toBe(503);
  const told = (await answer.json()) as { message: string; details: readonly { reason?: string }[] };
  expect(told.message).toMatch(/CatalogService\/CreateProduct is closed.*set AUTH_JWKS/);
  expect(told.details[0]?.reason).toBe("ACCESS_NOT_CONFIGURED");
  expect(writes).toEqual([]);
  expect((await fetch(`${url}/v1/products`)).status).toBe(200);
  const page = (await (await fetch(`${url}/health`)).json()) as { readonly closed: unknown };
  const methods = ["CreateProduct", "UpdateProduct", "DeleteProduct"];
  expect(page.closed).toEqual([
    { service: "shop.catalog.v1.CatalogService", methods, problem: expect.stringContaining("set AUTH_JWKS") },
  ]);
});

test("while the keys cannot be had, closed methods are UNAVAILABLE and open ones are answered", async () => {
  const { url } = await openShop({ jwks: "http://127.0.0.1:9/jwks.json" });
  const authorization = await bearer(first);
  const answer = await post(url, authorization);
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
  expect((await fetch(`${url}/v1/products`, { headers: { authorization } })).status).toBe(200);
});
