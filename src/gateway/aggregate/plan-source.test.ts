import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { asking, overview, overviewPlan, shopServices, stagedShop } from "../../test/suites/aggregate-parts.ts";
import { aggregatesOf } from "./plan-source.ts";
import { resolveAggregate } from "./resolved.ts";
import { aggregate } from "./typed.ts";

type Json = Record<string, unknown>;

const user = { name: "user", method: "shop.user.v1.UserService/GetUser", request: { id: "path.id" } };
const orders = { name: "orders", method: "shop.order.v1.OrderService/ListOrders", request: { user_id: "user.id" } };

/** A plan of one aggregate with these parts. */
const planOf = (parts: readonly Json[], rest: Json = {}) =>
  JSON.stringify({ aggregates: [{ path: "/v1/users/{id}/x", parts, ...rest }] });

const complaint = (where: string, what: string) => `GET /v1/users/{id}/x: part "${where}": ${what}`;

test.each([
  ["{", "it is not JSON: "],
  ["@/nowhere/plan.json", "ENOENT: no such file or directory, open '/nowhere/plan.json'"],
  ['{"aggregate":[]}', 'key "aggregate" is unknown'],
  ['{"aggregates":[{},{"parts":7}]}', "aggregates[1]: "],
  [planOf([]), "GET /v1/users/{id}/x: it has no parts"],
  [planOf([user], { path: "v1/users" }), 'GET v1/users: path template "v1/users": expected "/" at position 0'],
  [planOf([user], { timeout: "0s" }), "timeout is 0 ms; it has to be positive"],
  [planOf([user], { query: ["Page"] }), 'query parameter "Page" is not in lower snake_case'],
  [planOf([user, user]), complaint("user", "another part has this name already")],
  [planOf([{ ...user, name: "partial" }]), complaint("partial", "its name means something else")],
  [planOf([{ ...user, name: "__proto__" }]), complaint("__proto__", "its name is not in lower snake_case")],
  [planOf([{ ...user, method: "GetUser" }]), complaint("user", 'method: "GetUser" has to be like')],
  [planOf([orders]), complaint("orders", 'it needs "user", and there is no such part; parts are orders')],
  [planOf([{ ...user, request: { id: "path.sku" } }]), 'request.id: the path has no variable "sku"; it has id'],
  [planOf([{ ...user, request: { id: "query.id" } }]), 'request.id: "id" is not listed in query'],
  [planOf([{ ...user, request: { id: "each" } }]), 'request.id: "each" stands for one of several values'],
  [planOf([{ ...user, request: { id: "a b" } }]), 'request.id: cannot read "a b"; it has to be "path.<variable>"'],
  [planOf([{ ...user, each: "path.id" }]), 'each: "path.id" is no part\'s answer'],
  [planOf([user, { ...orders, maxCalls: 1001 }, { ...orders, name: "o" }]).replace("1001", "5"), ""],
  [planOf([user, { ...orders, each: "user.id", maxCalls: 1001 }]), "max_calls is 1001; from 1 to 1000 it may be"],
  [planOf([user, { ...orders, each: "user.id", maxAtOnce: 101 }]), "max_at_once is 101; from 1 to 100 it may be"],
  [
    planOf([{ ...user, request: { id: "orders.orders.user_id" } }, orders]),
    complaint("user", "parts wait for each other: user → orders → user"),
  ],
])("of the plan %s it is said: %s", (text, said) => {
  if (said === "") return void expect(aggregatesOf(text)).toHaveLength(1);
  expect(() => aggregatesOf(text)).toThrow(said);
});

test("all that is wrong with a plan is said at once, and two aggregates with one path are one too many", () => {
  const wrong = {
    path: "/v1/{a}",
    parts: [
      { ...user, request: { id: "path.x" } },
      { ...orders, name: "Orders" },
    ],
  };
  const said = () => aggregatesOf({ aggregates: [wrong, { path: "/v1/{b}", parts: [{ name: "" }] }] });
  for (const each of ['no variable "x"', "Orders", 'method: ""']) expect(said).toThrow(each);
  expect(() => aggregatesOf([overview, aggregate("/v1/users/{user}/overview")])).toThrow(
    "GET /v1/users/{user}/overview: another aggregate has this path already, as /v1/users/{id}/overview",
  );
});

test("a plan may stand in a file, and parts in any order", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "heddle-")), "plan.json");
  const [first = expect.fail()] = overviewPlan.aggregates;
  writeFileSync(file, JSON.stringify({ aggregates: [{ ...first, parts: [...first.parts].reverse() }] }));
  const { transport } = stagedShop();
  const answer = await asking({ aggregates: aggregatesOf(`@${file}`), transport })("/v1/users/1/overview");
  expect(answer).toMatchObject({ status: 200, json: { user: { name: "Ann" }, products: [{}, {}] } });
  expect(aggregatesOf("")).toEqual([]);
});

test.each([
  [{ ...user, method: "shop.user.v1.UserService/Get" }, "shop.user.v1.UserService has no method Get"],
  [{ ...user, method: "no.Service/Get" }, "no.Service is not routed"],
  [
    { ...user, method: "shop.user.v1.UserService/DeleteUser" },
    "shop.user.v1.UserService/DeleteUser may have side effects",
  ],
  [
    { ...user, method: "shop.order.v1.OrderService/WatchOrder" },
    "shop.order.v1.OrderService/WatchOrder is a stream; a part is one answer",
  ],
  [{ ...user, request: { name: "path.id" } }, 'request.name: shop.user.v1.GetUserRequest has no field "name"'],
  [{ ...user, show: "users" }, 'show: shop.user.v1.GetUserResponse has no field "users"'],
])("a part that does not fit its contract is told of as such: %j", (part, said) => {
  const [found = expect.fail()] = aggregatesOf(planOf([part]));
  const { problems } = resolveAggregate(found, { services: shopServices, timeoutMs: 1_000 });
  expect(problems).toEqual([expect.stringContaining(`part "user": ${said}`)]);
});

test.each([
  [{ user_id: "user.number" }, 'shop.user.v1.User has no field "number"'],
  [{ user_id: "user.id.low" }, 'there is no "low" in field shop.user.v1.User.id, which holds no fields'],
])("an expression that leads nowhere is told of: %j", (request, said) => {
  const [found = expect.fail()] = aggregatesOf(planOf([user, { ...orders, request }]));
  const { problems } = resolveAggregate(found, { services: shopServices, timeoutMs: 1_000 });
  expect(problems).toEqual([expect.stringContaining(said)]);
});

test("several values for one field need an each", () => {
  const product = { name: "p", method: "shop.catalog.v1.CatalogService/GetProduct", request: { sku: "o.orders.id" } };
  const [found = expect.fail()] = aggregatesOf(planOf([{ ...orders, name: "o", request: {} }, product]));
  const { problems } = resolveAggregate(found, { services: shopServices, timeoutMs: 1_000 });
  expect(problems).toEqual([expect.stringContaining('takes one value, and is given several: name them in "each"')]);
});

test("a list takes all values at once, literals stand for themselves, and fields of each value can be told apart", async () => {
  const parts = [
    { name: "o", method: "shop.order.v1.OrderService/ListOrders", request: { user_id: "7", page_size: "20" } },
    { name: "all", method: "shop.catalog.v1.CatalogService/BatchGetProducts", request: { skus: "o.orders.items.sku" } },
    {
      name: "p",
      method: "shop.catalog.v1.CatalogService/GetProduct",
      each: "o.orders.items",
      request: { sku: "each.sku" },
    },
    { name: "q", method: "shop.catalog.v1.CatalogService/GetProduct", request: { sku: '"Q"' } },
  ];
  const { transport, asked } = stagedShop();
  const answer = await asking({ aggregates: aggregatesOf(planOf(parts)), transport })("/v1/users/1/x");
  expect(answer).toMatchObject({ json: { p: [{ sku: "ABC" }, { sku: "XYZ" }], q: { sku: "Q" } } });
  expect(answer).toMatchObject({ json: { partial: [{ part: "all", code: Code.Unimplemented }] } }); // of this shop
  expect(asked).toContain("orders 7 20");
});

test("what is not routed yet is missing from the answer, and without a part that is required there is 503 until it is", async () => {
  const { transport } = stagedShop();
  const aggregates = aggregatesOf(overviewPlan);
  const withOnly = (...services: (typeof shopServices)[number][]) => asking({ aggregates, transport, services });
  const nobody = await withOnly()("/v1/users/1/overview");
  expect(nobody).toMatchObject({
    status: 503,
    json: {
      code: Code.Unavailable,
      message:
        'GET /v1/users/{id}/overview cannot be answered yet: part "user": shop.user.v1.UserService is not routed',
      details: [{ reason: "PART_NOT_READY" }, { retryDelay: "1s" }],
    },
  });
  expect(nobody?.header.get("retry-after")).toBe("1");
  const some = await withOnly(UserService, OrderService)("/v1/users/1/overview");
  expect(some).toMatchObject({ status: 200, json: { user: {}, orders: [{}] } });
  expect(some).toMatchObject({ json: { partial: [{ part: "products", reason: "PART_NOT_READY" }] } });
  const all = await withOnly(UserService, OrderService, CatalogService)("/v1/users/1/overview");
  expect(all?.json).not.toHaveProperty("partial");
});

test("when nothing at all has come, the first part's error is the answer", async () => {
  const { transport } = stagedShop();
  const aggregates = aggregatesOf(planOf([{ ...user, request: { id: "42" } }]));
  expect(await asking({ aggregates, transport })("/v1/users/1/x")).toMatchObject({ status: 404 });
});

test("a path that a contract has is told to belong to it", () => {
  const [found = expect.fail()] = aggregatesOf(planOf([user], { path: "/v1/users/{id}" }));
  const { problems } = resolveAggregate(found, { services: shopServices, timeoutMs: 1_000 });
  expect(problems).toEqual(["GET /v1/users/{id} belongs to shop.user.v1.UserService/GetUser, which answers instead"]);
});

test("in code as well, a method that changes something is refused, with path and part", () => {
  const bad = () =>
    aggregate("/v1/{id}").call("gone", UserService.method.deleteUser, {
      request: ({ integer }) => ({ id: integer("id") }),
    });
  expect(bad).toThrow('GET /v1/{id}: part "gone": shop.user.v1.UserService/DeleteUser may have side effects');
});
