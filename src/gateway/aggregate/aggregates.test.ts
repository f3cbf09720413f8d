import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { jsonLogger } from "../../base/log.ts";
import { asking, away, overview, overviewPlan, type ShopStage, stagedShop } from "../../test/suites/aggregate-parts.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import type { Aggregate } from "./aggregate.ts";
import { aggregatesOf } from "./plan-source.ts";
import { aggregate } from "./typed.ts";

const path = "/v1/users/7/overview";
const forms: readonly (readonly [string, readonly Aggregate[]])[] = [
  ["in code", [overview]],
  ["in a plan", aggregatesOf(overviewPlan)],
];

describe.each(forms)("an aggregate %s", (_, aggregates) => {
  function open(stage: Partial<ShopStage> = {}) {
    const clock = fakeClock();
    const shop = stagedShop(stage);
    return { ...shop, clock, ask: asking({ aggregates, clock, transport: shop.transport }) };
  }

  test("answers with what its parts bring, each shown as REST shows it", async () => {
    const { ask, asked } = open();
    const answer = await ask(path);
    expect(answer?.status).toBe(200);
    expect(answer?.header.get("content-type")).toBe("application/json");
    expect(answer?.json).toMatchObject({
      user: { id: "7", name: "Ann", email: "ann@example.org" },
      orders: [{ id: "o-1", userId: "7", status: "ORDER_STATUS_PENDING", items: [{ sku: "ABC", qty: 1 }, {}, {}] }],
      products: [
        { sku: "ABC", name: "Product ABC", stock: 7 },
        { sku: "XYZ", name: "Product XYZ", stock: 7 },
      ],
    });
    expect(Object.keys(answer?.json as object)).toEqual(["user", "orders", "products"]);
    expect(asked).toEqual(["user 7", "orders 7 20", "product ABC", "product XYZ"]); // ABC once
  });

  test("answers below /api in snake_case and numbers", async () => {
    const answer = await open().ask("/api/users/7/overview");
    expect(answer?.json).toMatchObject({ user: { id: 7 }, orders: [{ user_id: 7, status: "pending" }] });
  });

  test("calls at the same time what does not wait for each other", async () => {
    let met = 0;
    const both = Promise.withResolvers<void>();
    const meet = (call: string) => {
      if (call.startsWith("product")) return;
      if (++met === 2) both.resolve();
      return both.promise; // each of the two is answered only once the other has been asked, too
    };
    expect(await open({ before: meet }).ask(path)).toMatchObject({ status: 200 });
  });

  test("with the catalog away it is 200 with the rest, and says what is missing in words without addresses", async () => {
    const { ask } = open({
      before(call) {
        if (call.startsWith("product")) throw away();
      },
    });
    const answer = await ask(path);
    expect(answer).toMatchObject({ status: 200, json: { user: { name: "Ann" }, orders: [{ id: "o-1" }] } });
    expect(answer?.json).not.toHaveProperty("products");
    expect(answer?.json).toMatchObject({
      partial: [{ part: "products", code: Code.Unavailable, message: "its service is away", reason: "", missing: 2 }],
    });
    expect(answer?.header.get("cache-control")).toBe("no-store");
  });

  test("with the orders away, what is made of them is missing for that reason", async () => {
    const { ask } = open({
      before(call) {
        if (call.startsWith("orders")) throw away();
      },
    });
    expect(await ask(path)).toMatchObject({
      status: 200,
      json: {
        user: { name: "Ann" },
        partial: [
          { part: "orders", code: Code.Unavailable },
          { part: "products", code: Code.Unavailable, reason: "NEEDED_PART_MISSING" },
        ],
      },
    });
  });

  test("one value of several that fails leaves the others, in the service's own words", async () => {
    const { ask } = open({ skus: ["ABC", "GONE", "XYZ"] });
    expect((await ask(path))?.json).toMatchObject({
      products: [{ sku: "ABC" }, { sku: "XYZ" }],
      partial: [
        {
          part: "products",
          code: Code.NotFound,
          message: "product GONE does not exist",
          reason: "PRODUCT_NOT_FOUND",
          missing: 1,
        },
      ],
    });
  });

  test("a bug in a service is told of as internal error, and no more", async () => {
    const { ask } = open({
      before(call) {
        if (call.startsWith("orders")) throw new ConnectError("SELECT * FROM orders", Code.Internal);
      },
    });
    const answer = await ask(path);
    expect(answer?.text).not.toContain("SELECT");
    expect(answer?.json).toMatchObject({ partial: [{ part: "orders", message: "internal error" }, {}] });
  });

  test("without its required part there is no answer but that part's error, and what still runs is cancelled", async () => {
    const cancelled = Promise.withResolvers<Code>();
    const { ask } = open({
      before(call, { signal }) {
        if (!call.startsWith("orders")) return;
        return new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          signal.addEventListener("abort", () => cancelled.resolve(ConnectError.from(signal.reason).code));
        });
      },
    });
    const answer = await ask("/v1/users/42/overview");
    expect(answer).toMatchObject({ status: 404, json: { code: Code.NotFound, message: "user 42 does not exist" } });
    expect(answer?.json).toMatchObject({ details: [{ reason: "USER_NOT_FOUND", domain: "shop.user.v1" }] });
    expect(await cancelled.promise).not.toBe(Code.DeadlineExceeded); // it is not left to time
  });

  test("when a part is slow, the deadline answers with what is there", async () => {
    const begun = Promise.withResolvers<void>();
    const { ask, clock } = open({
      before(call) {
        if (call !== "product XYZ") return;
        begun.resolve();
        return new Promise(() => {});
      },
    });
    const answering = ask(path);
    await begun.promise;
    await clock.advance(1_999);
    await expect(Promise.race([answering, Promise.resolve("still waiting")])).resolves.toBe("still waiting");
    await clock.advance(1);
    expect(await answering).toMatchObject({
      status: 200,
      json: {
        products: [{ sku: "ABC" }],
        partial: [{ part: "products", code: Code.DeadlineExceeded, message: "its service did not answer in time" }],
      },
    });
    expect(clock.pending).toBe(0);
  });

  test("when the required part is slow, the deadline is its error", async () => {
    const { ask, clock } = open({ before: (call) => (call.startsWith("user") ? new Promise(() => {}) : undefined) });
    const answering = ask(path);
    await clock.advance(2_000);
    expect(await answering).toMatchObject({ status: 504, json: { message: "no answer within 2000 ms" } });
  });

  test("a caller that leaves cancels every call", async () => {
    const leaving = new AbortController();
    const left: string[] = [];
    const { ask, clock } = open({
      before: (call, { signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(left.push(call)));
          if (call.startsWith("orders")) setImmediate(() => leaving.abort());
        }),
    });
    expect(await ask(path, { signal: leaving.signal })).toMatchObject({ status: 499 });
    expect(left).toEqual(["user 7", "orders 7 20"]);
    expect(clock.pending).toBe(0);
  });

  test("500 values are asked for ten at a time, and no more than 100 of them", async () => {
    let [now, most] = [0, 0];
    const { ask, asked } = open({
      skus: Array.from({ length: 500 }, (_, i) => `SKU-${i}`),
      async before(call) {
        if (!call.startsWith("product")) return;
        most = Math.max(most, ++now);
        await new Promise(setImmediate);
        now--;
      },
    });
    const answer = await ask(path);
    expect(answer?.json).toMatchObject({
      partial: [{ part: "products", code: Code.ResourceExhausted, reason: "TOO_MANY_VALUES", missing: 400 }],
    });
    expect(answer).toHaveProperty("json.products.length", 100);
    expect([asked.filter((call) => call.startsWith("product")).length, most]).toEqual([100, 10]);
  });

  test("who calls, and as part of what, goes along with each call; what is the hop's own does not", async () => {
    const { ask, heard } = open();
    const header = { authorization: "Bearer t", traceparent: "00-a-b-01", "x-request-id": "r-1", cookie: "secret" };
    await ask(path, { header });
    expect(heard).toHaveLength(4);
    for (const each of heard) {
      expect(each.get("authorization")).toBe("Bearer t");
      expect(each.get("traceparent")).toBe("00-a-b-01");
      expect(each.get("x-request-id")).toBe("r-1");
      expect(each.has("cookie")).toBe(false);
      expect(each.get("connect-timeout-ms")).toBe("2000"); // what is left of the one deadline
    }
  });

  test.each(["abc", "1e3", "%00", "..%2f..%2fadmin", "9223372036854775808", "%F0%9F%92%A9", "__proto__", "1;drop"])(
    "%s for an id is the caller's mistake, and nobody is asked",
    async (id) => {
      const { ask, asked } = open();
      const answer = await ask(`/v1/users/${id}/overview`);
      expect(answer).toMatchObject({ status: 400, json: { code: Code.InvalidArgument } });
      expect(answer?.json).toMatchObject({ details: [{ fieldViolations: [{ field: "id" }] }] });
      expect(asked).toEqual([]);
    },
  );

  test("a percent escape that is none, an unknown parameter, and a URL that is too long are refused by name", async () => {
    const { ask } = open();
    expect(await ask("/v1/users/%zz/overview")).toMatchObject({ status: 400, json: { message: /^id: / } });
    expect(await ask(`${path}?debug=1`)).toMatchObject({ status: 400, json: { message: /^debug: / } });
    expect(await ask(`${path}?x=${"y".repeat(20_000)}`)).toMatchObject({ status: 414 });
  });

  test("it answers HEAD without a body, POST with 405, and no other path", async () => {
    const { ask } = open();
    expect(await ask(path, { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
    const post = await ask(path, { method: "POST" });
    expect([post?.status, post?.header.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(await ask("/v1/users/7/overviews")).toBeUndefined();
    expect(await ask(path, { method: "OPTIONS" })).toBeUndefined();
  });

  test("requests at the same time do not know of each other", async () => {
    const { ask, asked } = open();
    const ids = Array.from({ length: 9 }, (_, i) => String(i + 1));
    const answers = await Promise.all(ids.map((id) => ask(`/v1/users/${id}/overview`)));
    expect(answers).toMatchObject(ids.map((id) => ({ status: 200, json: { user: { id } } })));
    expect(asked.filter((call) => call === "product ABC")).toHaveLength(9);
  });
});

test("protojson is written as the gateway's owner says", async () => {
  const json = { enumAsInteger: true, useProtoFieldName: true, alwaysEmitImplicit: false };
  const ask = asking({ aggregates: [overview], transport: stagedShop().transport, json });
  const answer = await ask(path);
  expect(answer?.json).toMatchObject({ orders: [{ user_id: "7", status: 1 }] });
  expect(answer?.json).not.toHaveProperty("user.version");
  expect((await ask("/api/users/7/overview"))?.json).toMatchObject({ orders: [{ user_id: 7, status: "pending" }] });
});

test("parts that ask the same are one call", async () => {
  const twice = aggregate("/v1/users/{id}/twice")
    .call("one", UserService.method.getUser, { request: ({ integer }) => ({ id: integer("id") }) })
    .call("other", UserService.method.getUser, { show: "*", request: ({ path }) => ({ id: BigInt(path.id) }) });
  const { transport, asked } = stagedShop();
  const answer = await asking({ aggregates: [twice], transport })("/v1/users/3/twice");
  expect(answer?.json).toMatchObject({ one: { id: "3" }, other: { user: { id: "3" } } });
  expect(asked).toEqual(["user 3"]);
});

test("a bug in a request of the program's own is 500 and tells nothing, and one of a later part is that part's", async () => {
  const buggy = aggregate("/v1/users/{id}/buggy")
    .call("user", UserService.method.getUser, { request: ({ path }) => ({ id: BigInt(path.id) }) })
    .call("orders", OrderService.method.listOrders, {
      from: ["user"],
      request: () => {
        throw new TypeError("secret");
      },
    });
  const lines: string[] = [];
  const log = jsonLogger({ write: (line) => lines.push(line) });
  const ask = asking({ aggregates: [buggy], transport: stagedShop().transport, log });
  expect(await ask("/v1/users/abc/buggy")).toMatchObject({ status: 500, json: { message: "internal error" } });
  const answer = await ask("/v1/users/1/buggy");
  expect(answer).toMatchObject({ status: 200, json: { partial: [{ part: "orders", message: "internal error" }] } });
  expect(answer?.text).not.toContain("secret");
  expect(lines).toEqual([expect.stringContaining("SyntaxError"), expect.stringMatching(/"part":"orders".*secret/)]);
});

test("a parameter of the query string reaches the part that asks for it", async () => {
  const plan = structuredClone(overviewPlan);
  Object.assign(plan.aggregates[0] ?? {}, { query: ["page_size"] });
  Object.assign(plan.aggregates[0]?.parts[1] ?? {}, { request: { user_id: "path.id", page_size: "query.page_size" } });
  const { transport, asked } = stagedShop();
  const ask = asking({ aggregates: aggregatesOf(plan), transport });
  await ask(`${path}?page_size=3`);
  await ask(`${path}?pageSize=4`);
  await ask(path);
  expect(asked.filter((call) => call.startsWith("orders"))).toEqual(["orders 7 3", "orders 7 4", "orders 7 0"]);
  expect(await ask(`${path}?page_size=3&pageSize=4`)).toMatchObject({ status: 400, json: { message: /given twice/ } });
  expect(await ask(`${path}?page_size=many`)).toMatchObject({ status: 400 });
});

test("types know what a part is given: its own path's variables, and answers of parts before it", () => {
  const typed = aggregate("/v1/a/{first}/{second.third=x/*}", { query: ["limit"] })
    .call("user", UserService.method.getUser, {
      request: ({ path, query, integer }) => {
        const texts: readonly (string | undefined)[] = [path.first, path["second.third"], query.limit];
        // @ts-expect-error the path has no such variable
        void [texts, path.fourth];
        // @ts-expect-error nor can it be a number
        integer("fourth");
        return { id: 1n };
      },
    })
    .each("products", CatalogService.method.getProduct, {
      from: ["user"],
      // @ts-expect-error users have no sku
      request: ({ user }) => [{ sku: user.user?.sku ?? "" }],
    })
    .call("orders", OrderService.method.listOrders, {
      from: ["products"],
      // @ts-expect-error "user" is not named in from
      request: ({ products, user }) => ({ pageSize: products.length, userId: user.user.id }),
    });
  expect(typed.parts.map(({ name, after }) => [name, after])).toEqual([
    ["user", []],
    ["products", ["user"]],
    ["orders", ["products"]],
  ]);
  // @ts-expect-error there is a part of that name
  expect(() => typed.call("user", UserService.method.getUser, { request: () => ({ id: 1n }) })).toThrow(
    'part "user": another part has this name already',
  );
});
