import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openPageServer } from "./page-server.ts";
import { openStage, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
beforeEach(({ onTestFailed }) => onTestFailed(() => void process.stderr.write(stage.cluster.logs())));
afterAll(() => stage?.[Symbol.asyncDispose]());

const pathsOf = (urls: readonly { readonly url: string }[]) => urls.map(({ url }) => new URL(url).pathname);

test("the browser asks for leave before each kind of call, once, and is given it", async () => {
  await using shop = await stage.visit();
  const id = await shop.placeOrder("Ada");
  await shop.page.getByRole("button", { name: "Cancel by REST" }).click();
  await shop.changes.filter({ hasText: "CANCELLED" }).waitFor();
  expect(new Set(pathsOf(shop.preflights))).toEqual(
    new Set([
      "/shop.user.v1.UserService/ListUsers",
      "/shop.user.v1.UserService/CreateUser",
      "/shop.catalog.v1.CatalogService/ListProducts",
      "/shop.order.v1.OrderService/CreateOrder",
      "/shop.order.v1.OrderService/WatchOrder",
      `/api/orders/${id}:cancel`,
    ]),
  );
  expect(pathsOf(shop.preflights).filter((path) => path.endsWith("ListUsers"))).toHaveLength(1);
  expect(shop.preflights.every(({ status }) => status === 204)).toBe(true);
});

test.each(["connect", "grpc-web"] as const)(
  "a page of an origin that is not allowed learns nothing, over %s",
  async (protocol) => {
    await using elsewhere = await openPageServer();
    await using shop = await stage.visit({ protocol, origin: elsewhere.origin });
    await shop.notice.filter({ hasText: `does its CORS_ORIGINS allow ${elsewhere.origin}?` }).waitFor();
    expect(await shop.users.count()).toBe(0);
  },
);

test("a page of an origin that is not allowed changes nothing either", async () => {
  await using elsewhere = await openPageServer();
  await using shop = await stage.visit({ origin: elsewhere.origin });
  await shop.createUser("Mallory", "mallory@example.com");
  await shop.notice.filter({ hasText: "CORS_ORIGINS" }).waitFor();
  const users = await (await fetch(`${stage.gateway}/v1/users`)).text();
  expect(users).not.toContain("mallory");
});
