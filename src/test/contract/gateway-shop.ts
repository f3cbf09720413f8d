import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { UserService as UserServiceV2 } from "../../../gen/shop/user/v2/user_pb.ts";
import type { RunningServer } from "../../app/running.ts";
import plan from "../../cli/aggregates.json" with { type: "json" };
import type { GatewayOptions } from "../../gateway/options.ts";
import { openMesh } from "../../mesh/mesh.ts";
import { bearerTokens } from "../../security/bearer-tokens.ts";
import { catalogService } from "../../services/catalog/catalog-service.ts";
import { catalogRows } from "../../services/catalog/product-entity.ts";
import { orderRows } from "../../services/order/order-entity.ts";
import { orderService } from "../../services/order/order-service.ts";
import { userEventRows, userRows } from "../../services/user/user-entity.ts";
import { userService } from "../../services/user/user-service.ts";
import { userServiceV2 } from "../../services/user/user-service-v2.ts";
import { openStore, type StoreOptions } from "../../store/orm.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { issuerKey, tokenBy } from "../../testing/token-issuer.ts";
import { publishingTo } from "../suites/events.ts";
import { openTown, type Town, until } from "../suites/gateway-parts.ts";
import { orderParts } from "../suites/order-parts.ts";

/** The shop as `heddle up` has it, behind its gateway, with one replica of each service. */
export interface GatewayShop extends AsyncDisposable {
  /** "http://127.0.0.1:…", the gateway's. */
  readonly url: string;
  readonly port: number;
  readonly town: Town;
  /** What somebody sends as `authorization` who may change products. */
  readonly clerk: string;
  readonly parts: Readonly<Record<"user" | "catalog" | "order", RunningServer>>;
}

/** Opens discovery, user, catalog, order and a gateway, and waits until all are routed. */
export async function openGatewayShop(options: GatewayOptions = {}): Promise<GatewayShop> {
  await using opening = new AsyncDisposableStack();
  const town = opening.use(await openTown());
  const database = opening.use(await openDatabase());
  const key = await issuerKey();
  const jwks = { keys: [key.publicJwk] };
  const authenticate = bearerTokens({ jwks, issuer: "https://issuer.example", audience: "shop" });
  const store = async (rows: Pick<StoreOptions, "name" | "entities" | "migrationsDir">) =>
    opening.use(await openStore({ ...rows, ...database }));
  const users = { store: await store(userRows), publish: publishingTo(userEventRows) };
  const user = opening.use(
    await town.join(
      "user",
      [
        [UserService, userService(users)],
        [UserServiceV2, userServiceV2(users)],
      ],
      { authenticate },
    ),
  );
  const products = catalogService({ store: await store(catalogRows) });
  const catalog = opening.use(await town.join("catalog", [[CatalogService, products]], { authenticate }));
  const mesh = opening.use(await openMesh({ discovery: town.address }));
  const orders = await store(orderRows);
  const needs = {
    store: orders,
    placeOrder: orderParts(orders).placeOrder,
    users: mesh.client(UserService),
    catalog: mesh.client(CatalogService),
  };
  const order = opening.use(await town.join("order", [[OrderService, orderService(needs)]], { authenticate }));
  const gateway = opening.use(await town.gateway({ aggregates: JSON.stringify(plan), authenticate, ...options }));
  const url = `http://127.0.0.1:${gateway.port}`;
  for (const path of ["/v1/users", "/v2/users", "/v1/products", "/v1/orders"]) {
    await until(
      () => fetch(url + path),
      ({ status }) => status === 200,
    );
  }
  const own = opening.move();
  const { port } = gateway;
  const clerk = `Bearer ${await tokenBy(key)}`;
  const parts = { user, catalog, order };
  return { url, port, town, clerk, parts, [Symbol.asyncDispose]: () => own.disposeAsync() };
}
