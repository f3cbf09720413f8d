import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createRouterTransport, type HandlerContext } from "@connectrpc/connect";
import { beforeEach, expect, test } from "vitest";
import { ConsulService, type RegisterAgentServiceRequest } from "../../gen/heddle/discovery/v1/consul_pb.ts";
import { DiscoveryService } from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import { Status } from "../../gen/heddle/discovery/v1/instance_pb.ts";
import { CatalogService } from "../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderSchema, OrderService, OrderStatus } from "../../gen/shop/order/v1/order_pb.ts";
import { UserSchema, UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { notFound } from "../call/errors.ts";
import { type RestCall, readAnswer, restRequest } from "../testing/rest-caller.ts";
import { transcoder } from "./transcoder.ts";

const noon = timestampFromDate(new Date("2026-01-31T12:00:00Z"));
const ada = create(UserSchema, { id: 42n, name: "Ada", email: "ada@example.org", createdAt: noon, version: 1 });
const order = create(OrderSchema, {
  id: "o-1",
  userId: 42n,
  items: [{ sku: "ABC", qty: 2, price: { currencyCode: "EUR", units: 5n } }],
  status: OrderStatus.PENDING,
  total: { currencyCode: "EUR", units: 10n },
  createdAt: noon,
});

/** What the services saw last. */
let seen: { message?: unknown; header?: Headers } = {};
beforeEach(() => {
  seen = {};
});

function sees<I, O>(answer: (request: I, context: HandlerContext) => O) {
  return (request: I, context: HandlerContext) => {
    seen = { message: request, header: context.requestHeader };
    return answer(request, context);
  };
}

const services = [UserService, OrderService, CatalogService, DiscoveryService, ConsulService];
const transport = createRouterTransport((router) => {
  router.service(UserService, {
    listUsers: sees(() => ({ users: [ada] })),
    getUser: sees(({ id }, context) => {
      context.responseHeader.set("x-served-by", "user-1");
      context.responseTrailer.set("x-cost", "3");
      if (id === 1n) return {};
      if (id !== 42n) throw notFound("user", id, "shop.user.v1");
      return { user: ada };
    }),
    createUser: sees(({ name, email }) => (name === "nobody" ? {} : { user: { id: 43n, name, email } })),
    updateUser: sees(({ user }) => ({ user: user ?? ada })),
    deleteUser: sees(() => ({})),
  });
  router.service(OrderService, {
    createOrder: sees(() => ({ order })),
    getOrder: sees(({ id }) => ({ order: { ...order, id, userId: id === "big" ? 2n ** 53n : 42n } })),
    listOrders: sees(() => ({ orders: [order] })),
    cancelOrder: sees(() => ({ order: { ...order, status: OrderStatus.CANCELLED } })),
  });
  router.service(CatalogService, {
    batchGetProducts: sees(() => ({})),
    createProduct: sees(({ sku }) => ({ product: { sku } })),
  });
  router.service(DiscoveryService, {
    register: sees(({ instance }) => ({ instance: instance ?? {} })),
    deregister: sees(() => ({})),
    getService: sees(({ name }) => ({ service: { name, status: Status.HEALTHY } })),
  });
  router.service(ConsulService, {
    registerAgentService: sees((_: RegisterAgentServiceRequest) => ({})),
    listServiceHealth: sees(({ service }) =>
      service === "none" ? {} : { entries: [{ service: { id: "a", service, address: "10.0.0.1", port: 8001 } }] },
    ),
  });
});
const rest = transcoder({ services, transport, maxBodyBytes: 1000 });

async function ask(line: string, call: RestCall = {}) {
  const [method = "", url = ""] = line.split(" ");
  const answer = await rest(restRequest(method, url, call));
  if (answer === undefined) throw new Error(`no route for ${line}`);
  return readAnswer(answer);
}

test("a resource is answered bare, in protojson, with every field", async () => {
  const answer = await ask("GET /v1/users/42");
  expect(answer.status).toBe(200);
  expect(answer.header.get("content-type")).toBe("application/json");
  expect(answer.header.get("content-length")).toBe(String(answer.text.length));
  expect(answer.json).toEqual({
    id: "42",
    name: "Ada",
    email: "ada@example.org",
    createdAt: "2026-01-31T12:00:00Z",
    version: 1,
  });
  expect((await ask("GET /v1/users")).json).toMatchObject({ users: [{ id: "42" }], nextPageToken: "" });
});

test("under /api the same route speaks snake_case, numbers and short enums", async () => {
  const answer = await ask("GET /api/orders/o-2");
  expect(answer.status).toBe(200);
  expect(answer.json).toEqual({
    id: "o-2",
    user_id: 42,
    items: [{ sku: "ABC", qty: 2, price: { currency_code: "EUR", units: 5, nanos: 0 } }],
    status: "pending",
    total: { currency_code: "EUR", units: 10, nanos: 0 },
    created_at: "2026-01-31T12:00:00Z",
    version: 0,
    cancel_reason: "",
  });
  expect((await ask("GET /v1/orders/o-2")).json).toMatchObject({ userId: "42", status: "ORDER_STATUS_PENDING" });
});

test("an integer that a JSON number cannot hold stays a string under /api", async () => {
  expect((await ask("GET /api/orders/big")).json).toMatchObject({ user_id: "9007199254740992" });
});

test("the article's order is created as it is written there, with Location where it was asked for", async () => {
  const body = { user_id: 42, items: [{ sku: "ABC", qty: 2 }] };
  const answer = await ask("POST /api/orders", { body });
  expect(answer.status).toBe(201);
  expect(answer.header.get("location")).toBe("/api/orders/o-1");
  expect(answer.json).toMatchObject({ id: "o-1", user_id: 42, status: "pending" });
  expect(seen.message).toMatchObject({ userId: 42n, items: [{ sku: "ABC", qty: 2 }] });
  expect((await ask("POST /v1/orders", { body })).header.get("location")).toBe("/v1/orders/o-1");
});

test("a Location escapes what its path cannot hold, and is left out when the response lacks its fields", async () => {
  expect((await ask("POST /v1/products", { body: { sku: "a/b c" } })).header.get("location")).toBe(
    "/v1/products/a%2Fb%20c",
  );
  const answer = await ask("POST /v1/users", { body: { name: "nobody" } });
  expect(answer.status).toBe(201);
  expect(answer.header.get("location")).toBeNull();
  expect(answer.json).toEqual({});
});

test("additional bindings reach the same method", async () => {
  await ask("GET /v1/users/42/orders?page_size=5");
  expect(seen.message).toMatchObject({ userId: 42n, pageSize: 5 });
  await ask("GET /api/orders?user_id=42");
  expect(seen.message).toMatchObject({ userId: 42n });
});

test("a PATCH names the fields it changes, a PUT leaves that to the service", async () => {
  await ask("PATCH /v1/users/42", { body: { name: "" } });
  expect(seen.message).toMatchObject({ user: { id: 42n, name: "" }, updateMask: { paths: ["name"] } });
  await ask("PATCH /v1/users/42?updateMask=email", { body: { name: "x" } });
  expect(seen.message).toMatchObject({ updateMask: { paths: ["email"] } });
  await ask("PUT /api/users/42", { body: { name: "x" } });
  expect(seen.message).toMatchObject({ user: { id: 42n, name: "x" } });
  expect(seen.message).not.toHaveProperty("updateMask");
});

test("a verb, a repeated query parameter and a colon in an id each find their way", async () => {
  expect((await ask("POST /api/orders/o-1:cancel")).json).toMatchObject({ status: "cancelled" });
  await ask("GET /v1/products:batchGet?skus=A&skus=B");
  expect(seen.message).toMatchObject({ skus: ["A", "B"] });
  await ask("DELETE /v1/services/user/instances/user:8001");
  expect(seen.message).toMatchObject({ name: "user", id: "user:8001" });
});

test("a deletion answers 200 and an empty object", async () => {
  expect(await ask("DELETE /v1/users/42")).toMatchObject({ status: 200, json: {} });
});

test("a response_body that is missing is {} for a message and [] for a list", async () => {
  expect(await ask("GET /v1/users/1")).toMatchObject({ status: 200, json: {} });
  expect(await ask("GET /v1/health/service/none")).toMatchObject({ status: 200, json: [] });
});

test("Consul's clients register and look up in Consul's own words", async () => {
  const body = JSON.stringify({
    Name: "user",
    Address: "10.0.0.1",
    Port: 8001,
    Check: { HTTP: "http://10.0.0.1:8001/health", Interval: "10s", Timeout: "2s" },
  });
  expect(await ask("PUT /v1/agent/service/register", { body })).toMatchObject({ status: 200, json: {} });
  expect(seen.message).toMatchObject({ name: "user", port: 8001, check: { interval: "10s", timeout: "2s" } });
  for (const query of ["?passing=true", "?passing", "?passing=1"]) {
    const answer = await ask(`GET /v1/health/service/user${query}`);
    expect(answer.json).toMatchObject([{ Service: { Service: "user", Address: "10.0.0.1", Port: 8001 } }]);
    expect(seen.message).toMatchObject({ passing: true });
  }
  expect((await ask("GET /api/health/service/user")).json).toMatchObject([
    { Service: { Address: "10.0.0.1", Port: 8001 } },
  ]);
});

test("enums are read in their short form under /api, and only there", async () => {
  const body = { name: "user", host: "h", port: 1, status: "healthy" };
  expect((await ask("POST /api/services", { body })).json).toMatchObject({ status: "healthy" });
  expect(seen.message).toMatchObject({ instance: { status: Status.HEALTHY } });
  expect((await ask("POST /api/services", { body: { ...body, status: "STATUS_UNHEALTHY" } })).status).toBe(201);
  const refused = await ask("POST /v1/services", { body });
  expect(refused.status).toBe(400);
  expect(refused.text).toContain("instance.status: must be one of STATUS_UNSPECIFIED, STATUS_HEALTHY");
});

test("HEAD answers as GET does, without the body", async () => {
  const answer = await ask("HEAD /v1/users/42");
  expect(answer).toMatchObject({ status: 200, text: "" });
  expect(Number(answer.header.get("content-length"))).toBeGreaterThan(50);
  expect(await ask("HEAD /v1/users/7")).toMatchObject({ status: 404, text: "" });
});

test("a path that no route has is left to others, and so is OPTIONS", async () => {
  for (const line of [
    "GET /",
    "GET /v2/users",
    "GET /health",
    "GET /v1/users/1/2",
    "POST /shop.user.v1.UserService/GetUser",
    "OPTIONS /v1/users",
    "GET /api",
    "GET /apix/users",
  ]) {
    const [method = "", url = ""] = line.split(" ");
    expect(await rest(restRequest(method, url)), line).toBeUndefined();
  }
});

test("a known path with another method is 405, and Allow says which ones there are", async () => {
  const answer = await ask("PUT /v1/users");
  expect(answer.status).toBe(405);
  expect(answer.header.get("allow")).toBe("GET, HEAD, POST");
  expect(answer.json).toEqual({ code: 12, message: "PUT is not allowed here; allowed: GET, HEAD, POST", details: [] });
  expect((await ask("GET /api/orders/1:cancel")).header.get("allow")).toBe("POST");
});

const badBodies: readonly (readonly [body: string | Uint8Array, status: number, message: string])[] = [
  ["{", 400, "the body is not valid JSON"],
  ["{'a':1}", 400, "the body is not valid JSON"],
  ['{"name":NaN}', 400, "the body is not valid JSON"],
  ["[1]", 400, "the body has to be a JSON object"],
  ["null", 400, "the body has to be a JSON object"],
  [Uint8Array.of(0x22, 0xff, 0x22), 400, "the body is not valid UTF-8"],
  ["[".repeat(101), 400, "the body is nested deeper than 100"],
  [`{"name":${"[".repeat(100)}`, 400, "the body is nested deeper than 100"],
  [`{"name":"${"x".repeat(1000)}"}`, 413, "the body is over 1000 bytes"],
  ['{"nmae":1}', 400, "nmae: unknown field"],
];

test.each(badBodies)("the body %j is answered %i %s", async (body, status, message) => {
  const answer = await ask("POST /v1/users", { body });
  expect(answer.status).toBe(status);
  expect(answer.json).toMatchObject({ message: expect.stringContaining(message) });
  expect(seen.message).toBeUndefined();
});

test("a body whose length is announced as too large is not read at all", async () => {
  const header = { "content-length": "1001" };
  expect(await ask("POST /v1/users", { body: "{}", header })).toMatchObject({ status: 413 });
});

const types: readonly (readonly [header: Readonly<Record<string, string>>, status: number, message: string])[] = [
  [{}, 201, "x"],
  [{ "content-type": "application/json" }, 201, "x"],
  [{ "content-type": "Application/JSON; charset=UTF-8" }, 201, "x"],
  [{ "content-type": "application/merge-patch+json" }, 201, "x"],
  [{ "content-type": "application/json; charset=latin1" }, 415, "JSON is UTF-8, not charset=latin1"],
  [{ "content-type": "text/plain" }, 415, "the body has to be application/json, not text/plain"],
  [{ "content-type": "application/x-www-form-urlencoded" }, 415, "curl: add -H 'Content-Type: application/json'"],
];

test.each(types)("a body with %j is answered %i", async (header, status, message) => {
  const answer = await ask("POST /v1/users", { body: '{"name":"x"}', header });
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(message);
  if (status === 415) expect(answer.header.get("accept")).toBe("application/json");
});

test("an empty form, as curl sends with -d '', is an empty message", async () => {
  const header = { "content-type": "application/x-www-form-urlencoded" };
  expect((await ask("POST /v1/orders/o-1:cancel", { body: "", header })).status).toBe(200);
});

test("a body that a server has parsed already is taken as it is", async () => {
  const request = { ...restRequest("POST", "/v1/users"), body: { name: "parsed" } };
  const answer = await rest(request);
  expect(answer?.status).toBe(201);
  expect(seen.message).toMatchObject({ name: "parsed" });
});

test("a URL nobody needs is 414, and too many parameters 400", async () => {
  expect((await ask(`GET /v1/users?page_token=${"x".repeat(17_000)}`)).status).toBe(414);
  expect((await ask(`GET /v1/products:batchGet?${"skus=A&".repeat(1_001)}`)).status).toBe(400);
});

test("headers that tell who calls and why travel on, the others stay", async () => {
  const header = {
    authorization: "Bearer t",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tracestate: "a=b",
    baggage: "c=d",
    "x-request-id": "r",
    "idempotency-key": "k",
    "accept-language": "de",
    "x-tenant": "t",
    cookie: "secret",
    "grpc-timeout": "1S",
    "x-broken-bin": "%%%",
  };
  await ask("GET /v1/users/42", { header });
  const got = Object.fromEntries(seen.header ?? []);
  expect(got).toMatchObject({
    authorization: "Bearer t",
    traceparent: header.traceparent,
    tracestate: "a=b",
    baggage: "c=d",
    "x-request-id": "r",
    "idempotency-key": "k",
    "accept-language": "de",
    "x-tenant": "t",
  });
  for (const name of ["cookie", "grpc-timeout", "x-broken-bin"]) expect(got).not.toHaveProperty(name);
});

test("headers and trailers of the call come back, those of its protocol do not", async () => {
  const { header } = await ask("GET /v1/users/42");
  expect(header.get("x-served-by")).toBe("user-1");
  expect(header.get("x-cost")).toBe("3");
  expect(header.get("content-type")).toBe("application/json");
  expect([...header.keys()].filter((name) => /^(grpc|connect|trailer)-|encoding/.test(name))).toEqual([]);
});

test("a caller that goes away cancels the call", async () => {
  const gone = new AbortController();
  const waiting = createRouterTransport((router) =>
    router.service(UserService, {
      getUser: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new ConnectError("stopped", Code.Canceled)));
          gone.abort();
        }),
    }),
  );
  const slow = transcoder({ services: [UserService], transport: waiting });
  const answer = await slow(restRequest("GET", "/v1/users/1", { signal: gone.signal }));
  expect(answer?.status).toBe(499);
});
