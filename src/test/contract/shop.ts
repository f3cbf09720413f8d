import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { v7 as uuid } from "uuid";
import { expect } from "vitest";
import { ConsulService } from "../../../gen/heddle/discovery/v1/consul_pb.ts";
import { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { SagaService } from "../../../gen/heddle/saga/v1/saga_pb.ts";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { StockReservedSchema } from "../../../gen/shop/catalog/v1/events_pb.ts";
import { OrderConfirmedSchema, OrderCreatedSchema } from "../../../gen/shop/order/v1/events_pb.ts";
import { OrderService, OrderStatus } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserDeletedSchema } from "../../../gen/shop/user/v1/events_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { UserService as UserServiceV2 } from "../../../gen/shop/user/v2/user_pb.ts";
import { openMesh } from "../../mesh/mesh.ts";
import { staticResolver } from "../../mesh/resolve/static.ts";
import { bearerTokens } from "../../security/bearer-tokens.ts";
import { openServer, type Server, type ServiceEntry } from "../../server/serve.ts";
import { catalogService } from "../../services/catalog/catalog-service.ts";
import { catalogEventRows, catalogRows } from "../../services/catalog/product-entity.ts";
import { discoveryRows } from "../../services/discovery/instance-entity.ts";
import { keptInRows } from "../../services/discovery/kept.ts";
import { openDiscovery } from "../../services/discovery/open-discovery.ts";
import { orderEventRows, orderRows } from "../../services/order/order-entity.ts";
import { orderService } from "../../services/order/order-service.ts";
import { userEventRows, userRows } from "../../services/user/user-entity.ts";
import { userOrderSubscription } from "../../services/user/user-order-events.ts";
import { userService } from "../../services/user/user-service.ts";
import { userServiceV2 } from "../../services/user/user-service-v2.ts";
import { openStore, type Store, type StoreOptions } from "../../store/orm.ts";
import { eventually } from "../../testing/eventually.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { issuerKey, tokenBy } from "../../testing/token-issuer.ts";
import { hear } from "../suites/events.ts";
import { catalogFollows, orderParts } from "../suites/order-parts.ts";
import { type EventPartsOptions, openEventParts } from "./event-parts.ts";

/** The servers there are; two of the orders' have lost a neighbour. */
export type ServerName = "user" | "catalog" | "order" | "order-without-user" | "order-without-catalog" | "discovery";

/** Who asks: nobody in particular, one who is proven and may nothing, one who may change products and sagas. */
export type CallerName = "nobody" | "reader" | "clerk";

type Rows = Pick<StoreOptions, "name" | "entities" | "migrationsDir">;

/** Every service as users run it, on SQLite and ports of their own, with clients that prepare what a test needs. */
export interface Shop extends AsyncDisposable {
  readonly origins: Readonly<Record<ServerName, string>>;
  /** What each caller sends as `authorization`. */
  readonly authorization: Readonly<Record<CallerName, string | undefined>>;
  readonly users: Client<typeof UserService>;
  readonly catalog: Client<typeof CatalogService>;
  readonly orders: Client<typeof OrderService>;
  readonly discovery: Client<typeof DiscoveryService>;
  /** Lets the user service hear that a user has ordered; answers with the order's id. */
  orderHeard(userId: bigint): Promise<string>;
  /** Lets the catalog hear of an order of one of a product, which it then reserves. */
  reserved(sku: string): Promise<void>;
  /** Lets the order service hear that an order's stock is reserved. */
  confirmed(orderId: string): Promise<void>;
  /** Lets the user service publish an event; answers with its id when it is in the log. */
  published(): Promise<string>;
  /** Lets the user service give up an event that it can never handle; answers with its id. */
  givenUp(): Promise<string>;
  /** Lets the catalog give up an event that it can handle by now; answers with its id. */
  mended(): Promise<string>;
  /** Another number at each call: what tests make of it is theirs alone. */
  next(): number;
}

/** Opens discovery, user and catalog, and the order service three times: with both neighbours, and without either. */
export async function openShop(): Promise<Shop> {
  await using opening = new AsyncDisposableStack();
  const database = opening.use(await openDatabase());
  const store = async (rows: Rows) => opening.use(await openStore({ ...rows, ...database }));
  const key = await issuerKey();
  const audience = { issuer: "https://issuer.example", audience: "shop" };
  const authenticate = bearerTokens({ jwks: { keys: [key.publicJwk] }, ...audience });
  const bearer = async (scope: string) => `Bearer ${await tokenBy(key, { claims: { scope } })}`;
  const authorization = {
    nobody: undefined,
    reader: await bearer("orders:read"),
    clerk: await bearer("products:write sagas:write events:write"),
  };
  const listen = async (name: string, ...services: ServiceEntry[]) =>
    opening.use(await openServer({ name, version: "1.2.3", services, authenticate }));

  const userStore = await store(userRows);
  const events = (parts: EventPartsOptions) => openEventParts(opening, parts);
  const listing = [userOrderSubscription()];
  const userEvents = events({ source: "user", store: userStore, rows: userEventRows, subscriptions: listing });
  const users = { store: userStore, publish: userEvents.publish };
  const userServices = [UserService, userService(users)] as const;
  const user = await listen("user", userServices, [UserServiceV2, userServiceV2(users)], ...userEvents.entries);
  const productStore = await store(catalogRows);
  const reserving = { store: productStore, rows: catalogEventRows, subscriptions: catalogFollows() };
  const catalogEvents = events({ source: "catalog", ...reserving });
  const products = catalogService({ store: productStore });
  const catalog = await listen("catalog", [CatalogService, products], ...catalogEvents.entries);
  const discovery = opening.use(await openDiscovery({ kept: keptInRows(await store(discoveryRows)) }));
  const found = await listen("discovery", [DiscoveryService, discovery.discovery], [ConsulService, discovery.consul]);

  const orderStore = await store(orderRows);
  const nobody = await closedPort();
  const orderEvents = events({ source: "order", store: orderStore, rows: orderEventRows, hasBroker: true });
  const ordersWith = async (userAt: string, catalogAt: string) => {
    const own = await orderEntries(opening, orderStore, { user: userAt, catalog: catalogAt });
    return listen("order", ...own, ...orderEvents.entries);
  };
  const servers: Record<ServerName, Server> = {
    user,
    catalog,
    discovery: found,
    order: await ordersWith(addressOf(user), addressOf(catalog)),
    "order-without-user": await ordersWith(nobody, addressOf(catalog)),
    "order-without-catalog": await ordersWith(addressOf(user), nobody),
  };
  const origins = Object.fromEntries(
    Object.entries(servers).map(([name, server]) => [name, `http://${addressOf(server)}`]),
  ) as Record<ServerName, string>;
  const grpc = (name: ServerName) => createGrpcTransport({ baseUrl: origins[name] });
  let count = 0;
  const own = opening.move();
  const clerk: Interceptor = (next) => (req) => {
    req.header.set("authorization", authorization.clerk);
    return next(req);
  };
  const byClerk = createGrpcTransport({ baseUrl: origins.catalog, interceptors: [clerk] });
  const catalogClient = createClient(CatalogService, byClerk);
  return {
    origins,
    authorization,
    users: createClient(UserService, grpc("user")),
    catalog: catalogClient,
    orders: createClient(OrderService, grpc("order")),
    discovery: createClient(DiscoveryService, grpc("discovery")),
    async orderHeard(userId) {
      const id = uuid();
      const times = { createdAt: timestampFromMs(1_000), updatedAt: timestampFromMs(1_000) };
      const order = { id, userId, items: [{ sku: "ABC", qty: 2 }], status: OrderStatus.PENDING, version: 1, ...times };
      await hear(userStore, userOrderSubscription(), OrderCreatedSchema, { order });
      return id;
    },
    async reserved(sku) {
      const order = { id: uuid(), userId: 1n, items: [{ sku, qty: 1 }], version: 1 };
      for (const each of catalogFollows()) await hear(productStore, each, OrderCreatedSchema, { order });
    },
    async confirmed(orderId) {
      const [catalogs = expect.fail()] = orderParts(orderStore).follows;
      await hear(orderStore, catalogs, StockReservedSchema, { orderId });
    },
    async published() {
      const id = BigInt(++count);
      await userStore.unit((em) => userEvents.publish(em, UserDeletedSchema, { id }));
      return eventually("an event is in the log", async () => {
        const [row] = await userStore.read((em) => em.find(userEventRows.events, { subject: String(id) }));
        return row !== undefined && row.position !== null && row.id;
      });
    },
    givenUp: () => userEvents.giveUp(OrderCreatedSchema, {}),
    async mended() {
      const price = { currencyCode: "EUR", units: 1n };
      const sku = `MENDED-${++count}`;
      await catalogClient.createProduct({ sku, name: "Mended", price, stock: 1 });
      const order = { id: uuid(), userId: 1n, items: [{ sku, qty: 1 }] };
      const id = await catalogEvents.giveUp(OrderConfirmedSchema, { order });
      for (const each of catalogFollows()) await hear(productStore, each, OrderCreatedSchema, { order });
      return id;
    },
    next: () => ++count,
    [Symbol.asyncDispose]: () => own.disposeAsync(),
  };
}

/** The order service with a mesh of its own, which finds its neighbours at fixed addresses. */
async function orderEntries(
  own: AsyncDisposableStack,
  store: Store,
  at: { readonly user: string; readonly catalog: string },
): Promise<ServiceEntry[]> {
  const addresses = { [UserService.typeName]: [at.user], [CatalogService.typeName]: [at.catalog] };
  const mesh = own.use(await openMesh({ resolver: staticResolver(addresses) }));
  const [users, catalog] = [mesh.client(UserService), mesh.client(CatalogService)];
  const { placeOrder, sagas } = orderParts(store);
  return [
    [OrderService, orderService({ store, users, catalog, placeOrder })],
    [SagaService, sagas],
  ];
}

/** An address at which nobody listens any more. */
async function closedPort(): Promise<string> {
  await using server = await openServer({ services: [] });
  return addressOf(server);
}

function addressOf({ host, port }: Server): string {
  return `${host}:${port}`;
}
