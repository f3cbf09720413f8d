import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../testing/eventually.ts";
import { openStage, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
beforeEach(({ onTestFailed }) => onTestFailed(() => void process.stderr.write(stage.cluster.logs())));
afterAll(() => stage?.[Symbol.asyncDispose]());

describe.each([
  { protocol: "connect", shown: "Connect", tag: "c" },
  { protocol: "grpc-web", shown: "gRPC-Web", tag: "g" },
] as const)("over $shown", ({ protocol, shown, tag }) => {
  test("a page lists the users, and one it creates is among them", async () => {
    await using shop = await stage.visit({ protocol });
    await shop.calls.filter({ hasText: "UserService.ListUsers" }).first().waitFor();
    const email = `ada-${tag}@example.com`;
    await shop.createUser(`Ada ${tag}`, email);
    await shop.users.filter({ hasText: email }).waitFor();
    expect(await shop.callTo("UserService.CreateUser")).toEqual([shown, "UserService.CreateUser", "ok"]);
    expect(await shop.page.getByLabel("Name").inputValue()).toBe("");
    expect(shop.errors).toEqual([]);
  });

  test("a refused email shows why at its field, and leaves what was typed", async () => {
    await using shop = await stage.visit({ protocol });
    await shop.createUser("Bob", "bob at home");
    await shop.errorAt("email").filter({ hasText: "email" }).waitFor();
    expect(await shop.errorAt("name").textContent()).toBe("");
    expect(await shop.notice.count()).toBe(0);
    expect(await shop.page.getByLabel("Email").inputValue()).toBe("bob at home");
    expect(await shop.users.filter({ hasText: "bob at home" }).count()).toBe(0);
  });

  test("every field that is wrong has its own error, and a right one has none afterwards", async () => {
    await using shop = await stage.visit({ protocol });
    await shop.createUser("", "nobody");
    await shop.errorAt("name").filter({ hasText: /./ }).waitFor();
    await shop.errorAt("email").filter({ hasText: /./ }).waitFor();
    await shop.createUser(`Cy ${tag}`, `cy-${tag}@example.com`);
    await shop.users.filter({ hasText: `cy-${tag}@example.com` }).waitFor();
    expect(await shop.errorAt("name").textContent()).toBe("");
    expect(await shop.errorAt("email").textContent()).toBe("");
  });

  test("an email that somebody has is refused at its field too", async () => {
    await using shop = await stage.visit({ protocol });
    const email = `dee-${tag}@example.com`;
    await shop.createUser("Dee", email);
    await shop.users.filter({ hasText: email }).waitFor();
    await shop.createUser("Dee again", email.toUpperCase());
    await shop.errorAt("email").filter({ hasText: "another user has the email" }).waitFor();
  });

  test("an order placed for a user is priced and followed until it is confirmed", async () => {
    await using shop = await stage.visit({ protocol });
    const id = await shop.placeOrder(`Eve ${tag}`);
    expect(await shop.page.locator("#order-total").textContent()).toBe("€19.98");
    expect((await shop.statuses()).join()).toMatch(/^(PENDING,)?CONFIRMED$/);
    const answer = await fetch(`${stage.gateway}/api/orders/${id}`);
    expect(await answer.json()).toMatchObject({ id, items: [{ sku: "ABC", qty: 2 }] });
  });

  test("a cancel made elsewhere shows without a reload, and the stream ends", async () => {
    await using shop = await stage.visit({ protocol });
    const id = await shop.placeOrder(`Flo ${tag}`);
    await shop.watchState.filter({ hasText: "live" }).waitFor();
    await stage.orders.cancelOrder({ id, reason: "out of wool" });
    await shop.watchState.filter({ hasText: "stream ended" }).waitFor();
    expect((await shop.statuses()).join()).toMatch(/CONFIRMED,CANCELLED$/);
    expect(await shop.changes.last().textContent()).toContain("version 3 · out of wool");
  });

  test("the page cancels by REST and hears of it through its stream", async () => {
    await using shop = await stage.visit({ protocol });
    await shop.placeOrder(`Gus ${tag}`);
    await shop.page.getByLabel("Why").fill("changed my mind");
    await shop.page.getByRole("button", { name: "Cancel by REST" }).click();
    await shop.changes.filter({ hasText: "CANCELLED" }).filter({ hasText: "changed my mind" }).waitFor();
    await shop.watchState.filter({ hasText: "stream ended" }).waitFor();
    expect(await shop.callTo("POST")).toEqual(["REST", "POST /api/orders/{id}:cancel", "200"]);
    expect(await shop.page.getByRole("button", { name: "Cancel by REST" }).isVisible()).toBe(false);
  });

  test("a browser that leaves ends its stream, at the gateway and at the order service", async () => {
    await eventually("those before have left", async () => `${await inFlight()}` === `0,${followers}`);
    const left = await leftWatches();
    const shop = await stage.visit({ protocol });
    await shop.placeOrder(`Hal ${tag}`);
    await eventually("the watch is in flight", async () => `${await inFlight()}` === `1,${1 + followers}`);
    await shop[Symbol.asyncDispose]();
    await eventually("the watch is over", async () => `${await inFlight()}` === `0,${followers}`);
    expect(await leftWatches()).toEqual(left.map((count) => count + 1));
  });
});

test("changing the protocol lists again over the new one and goes on following the order", async () => {
  await using shop = await stage.visit({ protocol: "connect" });
  const id = await shop.placeOrder("Ivy");
  await shop.page.getByText("gRPC-Web", { exact: true }).first().click();
  await shop.calls.filter({ hasText: "gRPC-Web" }).filter({ hasText: "OrderService.WatchOrder" }).waitFor();
  await shop.watchState.filter({ hasText: "live" }).waitFor();
  await stage.orders.cancelOrder({ id });
  await shop.changes.filter({ hasText: "CANCELLED" }).waitFor();
});

test("a watch outlives the time that other calls of its service may take", async () => {
  await using shop = await stage.visit();
  const id = await shop.placeOrder("Jo");
  await sleep(2_500); // the contract gives its calls 2 s
  await stage.orders.cancelOrder({ id });
  await shop.watchState.filter({ hasText: "stream ended" }).waitFor();
  expect((await shop.statuses()).join()).toMatch(/CONFIRMED,CANCELLED$/);
});

test.each(["connect", "grpc-web"] as const)("a watch whose service dies says so, over %s", async (protocol) => {
  await using shop = await stage.visit({ protocol });
  await shop.placeOrder(`Kim ${protocol}`);
  await shop.watchState.filter({ hasText: "live" }).waitFor();
  await stage.cluster.replica("order").kill();
  await shop.watchState.filter({ hasText: "stream failed" }).waitFor();
  expect(await shop.notice.textContent()).not.toBe("");
  await stage.cluster.replica("order").start();
});

/** Calls to the order service that are never over: the users and the catalog follow its events. */
const followers = 2;

/** How many calls are being answered at the gateway and at the order service. */
function inFlight(): Promise<number[]> {
  return samples(/^heddle_server_calls_in_flight\S* (\d+)$/m);
}

/** How many watches have ended there because their caller was gone. */
function leftWatches(): Promise<number[]> {
  return samples(/^heddle_server_calls_total\{(?=.*method="WatchOrder")(?=.*code="CANCELLED").*\} (\d+)$/m);
}

function samples(line: RegExp): Promise<number[]> {
  const parts = ["gateway", "order"] as const;
  return Promise.all(parts.map(async (part) => Number(line.exec(await stage.metrics(part))?.[1] ?? 0)));
}
