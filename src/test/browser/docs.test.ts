import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Cluster, openCluster } from "../../testing/open-cluster.ts";
import { openBrowser } from "./open-browser.ts";

let browser: Browser;
let cluster: Cluster;
const own = new AsyncDisposableStack();

beforeAll(async () => {
  browser = own.adopt(await openBrowser(), (open) => open.close());
  cluster = own.use(
    await openCluster({
      replicas: { user: 1, catalog: 1, order: 1, gateway: 1 },
      envOf: { catalog: { SEED: "true" }, gateway: { API_TITLE: "Loom & Co" } },
      onFailure: () => undefined, // a test that fails shows the logs by itself
    }),
  );
});
beforeEach(({ onTestFailed }) => onTestFailed(() => void process.stderr.write(cluster.logs())));
afterAll(() => own.disposeAsync());

/** The page as somebody sees it who has never been there, and what the browser had to say meanwhile. */
async function openDocs({ colorScheme = "light" }: { readonly colorScheme?: "light" | "dark" } = {}) {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1_280, height: 1_400 } });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on("console", (said) => {
    if (said.type() === "error" || said.type() === "warning") complaints.push(said.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => hosts.add(new URL(request.url()).host));
  await page.goto(`http://${cluster.replica("gateway").address}/docs`);
  return { page, complaints, hosts, [Symbol.asyncDispose]: () => context.close() };
}

/** The operation that the page shows for a method and a path. */
function operationAt(page: Page, method: string, path: string) {
  return page.locator(`.opblock-${method}`).filter({ has: page.locator(`[data-path="${path}"]`) });
}

test("the page of the API lists what is routed, and tries it out against the gateway itself", async () => {
  await using docs = await openDocs();
  const { page } = docs;
  const list = operationAt(page, "get", "/v1/products");
  await list.locator(".opblock-summary-control").click();
  await list.getByText("Lists products by SKU").first().waitFor();
  await list.getByRole("button", { name: "Try it out" }).click();
  const answering = page.waitForResponse((answer) => answer.url().includes("/v1/products"));
  await list.getByRole("button", { name: "Execute" }).click();
  expect((await answering).status()).toBe(200);
  const answered = list.locator(".live-responses-table");
  await answered.locator(".response-col_status", { hasText: "200" }).waitFor();
  await answered.getByText("currencyCode").first().waitFor();
  if (process.env.HEDDLE_TEST_SCREENSHOT) await page.screenshot({ path: process.env.HEDDLE_TEST_SCREENSHOT });
  expect(await page.title()).toBe("Loom & Co");
  expect(docs.complaints).toEqual([]);
  expect([...docs.hosts]).toEqual([cluster.replica("gateway").address]);
});

test("a parameter and a body that are typed in reach the service", async () => {
  await using docs = await openDocs();
  const create = operationAt(docs.page, "post", "/v1/users");
  await create.locator(".opblock-summary-control").click();
  await create.getByRole("button", { name: "Try it out" }).click();
  await create.locator("textarea").fill(JSON.stringify({ name: "Ada", email: "ada@example.com" }));
  await create.getByRole("button", { name: "Execute" }).click();
  await create.locator(".live-responses-table .response-col_status", { hasText: "201" }).waitFor();
  const get = operationAt(docs.page, "get", "/v1/users/{id}");
  await get.locator(".opblock-summary-control").click();
  await get.getByRole("button", { name: "Try it out" }).click();
  await get.locator('[data-param-name="id"] input').fill("1");
  await get.getByRole("button", { name: "Execute" }).click();
  await get.locator(".live-responses-table").getByText("ada@example.com").first().waitFor();
  expect(docs.complaints).toEqual([]);
});

test("who prefers the dark gets it", async () => {
  await using docs = await openDocs({ colorScheme: "dark" });
  await operationAt(docs.page, "get", "/v1/products").waitFor();
  const background = await docs.page.evaluate("getComputedStyle(document.body).backgroundColor");
  expect(background).toBe("rgb(28, 32, 34)");
  expect(docs.complaints).toEqual([]);
});
