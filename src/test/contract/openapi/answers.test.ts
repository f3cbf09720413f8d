import { readFileSync } from "node:fs";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { heddleDescriptors } from "../../../app/descriptors.ts";
import { methodName } from "../../../call/method.ts";
import { openApiDocument } from "../../../rest/openapi/document.ts";
import { restWaysOf } from "../rest-ways.ts";
import { openShop } from "../shop.ts";
import { table } from "../table.ts";
import { servicesIn } from "./build.ts";
import { schemaChecks } from "./schema-check.ts";

const document = openApiDocument(servicesIn(readFileSync(heddleDescriptors), "heddle.", "shop."));
const check = schemaChecks(document);
const shop = await openShop();
afterAll(() => shop[Symbol.asyncDispose]());

/** An operation, and the pattern of its paths. */
interface Operation {
  readonly method: string;
  readonly pattern: RegExp;
  readonly body: JsonObject | undefined;
  readonly responses: Readonly<Record<string, JsonObject>>;
}

/** Those without blanks first: they are the ones that a router prefers. */
const operations: readonly Operation[] = Object.entries(document.paths)
  .sort(([a], [b]) => a.split("{").length - b.split("{").length)
  .flatMap(([path, item]) =>
    Object.entries(item as Readonly<Record<string, JsonObject>>).map(([method, { requestBody, responses }]) => ({
      method: method.toUpperCase(),
      pattern: new RegExp(`^${path.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll(/\{[^}]*\}/g, "[^/:]*")}$`),
      body: schemaOf(requestBody as JsonObject | undefined),
      responses: responses as Readonly<Record<string, JsonObject>>,
    })),
  );

function schemaOf(holder: JsonObject | undefined): JsonObject | undefined {
  const content = holder?.content as Readonly<Record<string, { readonly schema: JsonObject }>> | undefined;
  return content?.["application/json"]?.schema;
}

function responseOf({ responses }: Operation, status: number): JsonObject {
  const found = responses[status] ?? responses.default ?? expect.fail(`${status} is not documented`);
  const name = typeof found.$ref === "string" ? found.$ref.split("/").at(-1) : undefined;
  const components = document.components as { readonly responses: Readonly<Record<string, JsonObject>> };
  return name === undefined ? found : (components.responses[name] ?? expect.fail(`there is no response ${name}`));
}

/** What went over the wire while a way was tried. */
const seen: { readonly operation: Operation; readonly sent: string | undefined; readonly answer: Response }[] = [];
const plainFetch = globalThis.fetch;

beforeEach(() => {
  seen.length = 0;
  globalThis.fetch = async (input, init) => {
    const answer = await plainFetch(input, init);
    const { pathname } = new URL(String(input));
    const method = init?.method ?? "GET";
    const operation = operations.find((each) => each.method === method && each.pattern.test(pathname));
    if (operation !== undefined) seen.push({ operation, sent: init?.body?.toString(), answer: answer.clone() });
    return answer;
  };
});
afterEach(() => {
  globalThis.fetch = plainFetch;
});

const rows = table
  .filter(({ method }) => method.methodKind === "unary" && restWaysOf(method).length > 0)
  .map((row) => [`${methodName(row.method)}: ${row.title}`, row] as const);

describe.each(rows)("%s", (_, row) => {
  const ways = restWaysOf(row.method).filter(({ name }) => !name.includes(" /api/"));
  test.each(ways.map((way) => [way.name, way] as const))("%s is as it is documented", async (_, way) => {
    const requests = await row.given(shop);
    const { method, at, as, take } = row;
    const authorization = shop.authorization[as];
    await way.call({ method, origin: shop.origins[at], requests, authorization, take });
    expect(seen.length).toBeGreaterThan(0);
    for (const { operation, sent, answer } of seen) {
      expect(answer.headers.get("content-type")).toBe("application/json");
      const schema = schemaOf(responseOf(operation, answer.status)) ?? expect.fail("an answer without a schema");
      expect(check(schema)(await answer.json())).toBe("");
      if (operation.body === undefined || sent === undefined) continue;
      const wrong = check(operation.body)(JSON.parse(sent));
      if (answer.ok) expect(wrong, "taken, although the document does not allow it").toBe("");
    }
  });
});

test("a stream's lines fit the schema of a line", async () => {
  const { user } = await shop.users.createUser({ name: "Ada", email: `ada-${shop.next()}@example.com` });
  const sku = `lines-${shop.next()}`;
  await shop.catalog.createProduct({ sku, name: "Loom", price: { currencyCode: "EUR", units: 1n } });
  const { order } = await shop.orders.createOrder({ userId: user?.id ?? 0n, items: [{ sku, qty: 1 }] });
  await shop.orders.cancelOrder({ id: order?.id ?? "" });
  const answer = await plainFetch(`${shop.origins.order}/v1/orders/${order?.id}:watch`);
  const lines = (await answer.text()).trim().split("\n");
  const isLine = check({ $ref: "#/components/schemas/shop.order.v1.WatchOrderResponse" });
  expect(lines.map((line) => isLine(JSON.parse(line)))).toEqual([""]);
  expect(isLine({ order: { id: 5 } })).toContain("must be string");
});
