import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport, type HandlerContext, type Transport } from "@connectrpc/connect";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import type { Clock } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { notFound } from "../../call/errors.ts";
import type { Aggregate } from "../../gateway/aggregate/aggregate.ts";
import { answeringAggregates } from "../../gateway/aggregate/aggregates.ts";
import { aggregate } from "../../gateway/aggregate/typed.ts";
import type { JsonOutput } from "../../rest/response/response.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { type RestCall, readAnswer, restRequest } from "../../testing/rest-caller.ts";

/** A user with their orders and the products in them, as code has it. */
export const overview = aggregate("/v1/users/{id}/overview", { timeoutMs: 2_000 })
  .call("user", UserService.method.getUser, { required: true, request: ({ integer }) => ({ id: integer("id") }) })
  .call("orders", OrderService.method.listOrders, {
    show: "orders",
    request: ({ integer }) => ({ userId: integer("id"), pageSize: 20 }),
  })
  .each("products", CatalogService.method.getProduct, {
    from: ["orders"],
    request: ({ orders }) => orders.orders.flatMap(({ items }) => items).map(({ sku }) => ({ sku })),
  });

/** The same as a plan has it. */
export const overviewPlan = {
  aggregates: [
    {
      path: "/v1/users/{id}/overview",
      timeout: "2s",
      parts: [
        { name: "user", method: "shop.user.v1.UserService/GetUser", request: { id: "path.id" }, required: true },
        {
          name: "orders",
          method: "shop.order.v1.OrderService/ListOrders",
          request: { user_id: "path.id", page_size: "20" },
          show: "orders",
        },
        {
          name: "products",
          method: "shop.catalog.v1.CatalogService/GetProduct",
          each: "orders.items.sku",
          request: { sku: "each" },
        },
      ],
    },
  ],
};

/** The services that the overview is made of. */
export const shopServices: readonly DescService[] = [UserService, OrderService, CatalogService];

/** What somebody may want to have happen in the shop, and what it saw. */
export interface ShopStage {
  /** Runs before a method answers: may wait, or throw. */
  before(method: string, context: HandlerContext): void | Promise<void>;
  /** The SKUs in the one order there is. */
  readonly skus: readonly string[];
}

/** A shop within this process, over Connect's own transport, and each call that it got. */
export function stagedShop({ before = () => {}, skus = ["ABC", "XYZ", "ABC"] }: Partial<ShopStage> = {}) {
  const asked: string[] = [];
  const heard: Headers[] = [];
  const enter = async (call: string, context: HandlerContext) => {
    asked.push(call);
    heard.push(context.requestHeader);
    await before(call, context);
  };
  const transport = createRouterTransport(({ service }) => {
    service(UserService, {
      async getUser({ id }, context) {
        await enter(`user ${id}`, context);
        if (id > 9n) throw notFound("user", id, "shop.user.v1");
        return { user: { id, name: "Ann", email: "ann@example.org" } };
      },
    });
    service(OrderService, {
      async listOrders({ userId, pageSize }, context) {
        await enter(`orders ${userId} ${pageSize}`, context);
        return { orders: [{ id: "o-1", userId, status: 1, items: skus.map((sku) => ({ sku, qty: 1 })) }] };
      },
    });
    service(CatalogService, {
      async getProduct({ sku }, context) {
        await enter(`product ${sku}`, context);
        if (sku === "GONE") throw notFound("product", sku, "shop.catalog.v1");
        return { product: { sku, name: `Product ${sku}`, stock: 7 } };
      },
    });
  });
  return { asked, heard, transport };
}

/** A service that is not there, in the words of a mesh, which are full of addresses. */
export function away(): ConnectError {
  return new ConnectError("connect ECONNREFUSED 10.0.0.7:8003 (3 attempts)", Code.Unavailable);
}

/** What a gateway is asked with and by. */
export interface AskOptions {
  readonly aggregates: readonly Aggregate[];
  readonly transport: Transport;
  readonly services?: readonly DescService[];
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly json?: JsonOutput;
}

/** Asks aggregates as a gateway does. */
export function asking({
  aggregates,
  transport,
  services = shopServices,
  clock = fakeClock(),
  log = silentLogger,
  json = {},
}: AskOptions) {
  const { answer } = answeringAggregates({ aggregates, services, transport, clock, log, json, timeoutMs: 5_000 });
  return async (path: string, { method = "GET", ...rest }: RestCall & { readonly method?: string } = {}) => {
    const answered = await answer(restRequest(method, path, rest));
    return answered && readAnswer(answered);
  };
}
