import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test, vi } from "vitest";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import plan from "../../cli/aggregates.json" with { type: "json" };
import type { OpenApiDocument } from "../../rest/openapi/document.ts";
import { schemaChecks } from "../../test/contract/openapi/schema-check.ts";
import { annService, openTown, until } from "../../test/suites/gateway-parts.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

const orders = {
  listOrders: ({ userId }: { userId: bigint }) => ({
    orders: [{ id: "o-1", userId, items: [{ sku: "ABC", qty: 2 }] }],
  }),
};
const catalog = { getProduct: ({ sku }: { sku: string }) => ({ product: { sku, name: "Loom shuttle" } }) };
const ofOverview = { $ref: "#/paths/~1v1~1users~1{id}~1overview/get/responses/200/content/application~1json/schema" };

test("what is composed of several calls is documented as it is answered, whole or in part", async () => {
  await using town = await openTown();
  await using gateway = await town.gateway({ aggregates: JSON.stringify(plan) });
  const url = `http://127.0.0.1:${gateway.port}`;
  await using _users = await town.join("user", [[UserService, annService()]]);
  await using _orders = await town.join("order", [[OrderService, orders]]);
  const products = await town.join("catalog", [[CatalogService, catalog]], { authenticate: () => undefined });
  const overview = async () => (await (await fetch(`${url}/v1/users/1/overview`)).json()) as Record<string, unknown>;
  const whole = await until(overview, ({ products: found }) => Array.isArray(found) && found.length === 1);

  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApiDocument;
  expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  expect(document.paths["/v1/users/{id}/overview"]).toMatchObject({
    get: { operationId: "composed_v1_users_id_overview", parameters: [{ name: "id", in: "path", required: true }] },
  });
  const fits = schemaChecks(document)(ofOverview);
  expect(fits(whole)).toBe("");
  const { user: _, ...headless } = whole;
  expect(fits(headless)).toContain("user");
  expect(fits({ ...whole, orders: [{ id: 5 }] })).toContain("must be string");

  await products.drain();
  const part = await until(overview, ({ partial }) => partial !== undefined);
  expect(fits(part)).toBe("");
});
