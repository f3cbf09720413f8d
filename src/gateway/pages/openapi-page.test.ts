import type { DescService } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { silentLogger } from "../../base/log.ts";
import { Watchable } from "../../base/watch.ts";
import { readAnswer, restRequest } from "../../testing/rest-caller.ts";
import { scratchService } from "../../testing/scratch-contract.ts";
import type { Routes } from "../routes/route-table.ts";
import { OpenApiPage } from "./openapi-page.ts";

function routesOf(...services: readonly DescService[]): Routes {
  const contracts = services.map((service) => [service.typeName, { service, owner: "it", digest: "" }] as const);
  const nothing = { refused: new Map(), aggregates: [], answer: async () => undefined, rpcs: new Map() };
  return { ...nothing, contracts: new Map(contracts) };
}

function pageOf(routes: Watchable<Routes>): OpenApiPage {
  return new OpenApiPage({ routes, about: { title: "Shop", version: "7" }, log: silentLogger });
}

interface Told {
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, unknown>>;
}

async function ask(page: OpenApiPage, method = "GET", header: Record<string, string> = {}) {
  const answer = await readAnswer(page.answer(restRequest(method, "/openapi.json", { header })));
  return { ...answer, told: answer.json as Told };
}

test("the document tells of what is routed at that moment, as what the gateway is called", async () => {
  const routes = new Watchable(routesOf(UserService));
  const page = pageOf(routes);
  const { status, header, told } = await ask(page);
  expect([status, header.get("content-type"), header.get("cache-control")]).toEqual([
    200,
    "application/json",
    "no-cache",
  ]);
  expect(told.info).toMatchObject({ title: "Shop", version: "7" });
  expect(Object.keys(told.paths)).toEqual(["/v1/users", "/v1/users/{id}", "/v1/users/{userId}/order-list"]);
  routes.set(routesOf(UserService, OrderService));
  expect(Object.keys((await ask(page)).told.paths)).toContain("/v1/orders");
});

test("the document is made once for a table of routes, whatever else is noted in it", async () => {
  const routes = new Watchable(routesOf(UserService));
  const page = pageOf(routes);
  const bytes = async () => {
    const { body } = page.answer(restRequest("GET", "/openapi.json"));
    for await (const chunk of body as AsyncIterable<Uint8Array>) return chunk;
    return expect.fail("no body");
  };
  const first = await bytes();
  expect(await bytes()).toBe(first);
  routes.set({ ...routes.value, refused: new Map([["other", { problem: "it is wrong" }]]) });
  expect(await bytes()).toBe(first);
  routes.set(routesOf(OrderService));
  expect(await bytes()).not.toBe(first);
});

test("its tag is the same for the same routes, in whatever order they came, and another for others", async () => {
  const tagOf = async (...services: readonly DescService[]) =>
    (await ask(pageOf(new Watchable(routesOf(...services))))).header.get("etag") ?? "";
  const tag = await tagOf(UserService, OrderService);
  expect(tag).toMatch(/^W\/"[\w-]+"$/);
  expect(await tagOf(OrderService, UserService)).toBe(tag);
  expect(await tagOf(UserService)).not.toBe(tag);
  const known = await ask(pageOf(new Watchable(routesOf(UserService, OrderService))), "GET", { "if-none-match": tag });
  expect([known.status, known.text]).toEqual([304, ""]);
});

test("HEAD has its length and no body, and nobody writes to it", async () => {
  const page = pageOf(new Watchable(routesOf(UserService)));
  const { header, text } = await ask(page, "HEAD");
  expect([text, Number(header.get("content-length"))]).toEqual(["", Buffer.byteLength((await ask(page)).text)]);
  expect((await ask(page, "PUT")).status).toBe(405);
});

test("routes that cannot be documented leave the document of before", async () => {
  const routes = new Watchable(routesOf(UserService));
  const page = pageOf(routes);
  const before = (await ask(page)).text;
  const rule = { pattern: { case: "get", value: "/v1/{nothing}" } } as const;
  routes.set(routesOf(UserService, scratchService({ name: "Get", rule })));
  expect(await ask(page)).toMatchObject({ status: 200, text: before });
});
