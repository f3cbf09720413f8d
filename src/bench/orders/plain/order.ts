import { create } from "@bufbuild/protobuf";
import { type ConnectRouter, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { v7 as uuid } from "uuid";
import { CatalogService } from "../../../../gen/shop/catalog/v1/catalog_pb.ts";
import { CreateOrderResponseSchema, OrderService, OrderStatus } from "../../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../../gen/shop/user/v1/user_pb.ts";
import { priceOrder } from "../../../services/order/price-order.ts";
import type { Bus } from "./bus.ts";
import { openDatabase } from "./database.ts";
import { OrderRow } from "./rows.ts";

/** Where the other services are. */
export interface Others {
  readonly user: string;
  readonly catalog: string;
}

/** The order service: checks, prices, writes, and publishes after the commit. */
export async function openOrder(
  databaseUrl: string,
  bus: Bus,
  others: Others,
): Promise<(router: ConnectRouter) => void> {
  const em = await openDatabase(databaseUrl, [OrderRow]);
  const users = createClient(UserService, createGrpcTransport({ baseUrl: `http://${others.user}` }));
  const catalog = createClient(CatalogService, createGrpcTransport({ baseUrl: `http://${others.catalog}` }));
  await bus.consume("order", ["StockReserved"], async (_, { id }: { id: string }) => {
    const order = await em.fork().transactional(async (tx) => {
      const found = await tx.findOneOrFail(OrderRow, { id });
      tx.assign(found, { status: "confirmed", updatedAt: new Date() });
      return found;
    });
    const committedAt = order.updatedAt.toISOString();
    bus.publish("OrderConfirmed", { id, userId: String(order.userId), status: "confirmed", committedAt });
  });
  return (router) =>
    router.service(OrderService, {
      async createOrder({ userId, items }) {
        await users.getUser({ id: userId });
        const { products } = await catalog.batchGetProducts({ skus: items.map(({ sku }) => sku) });
        const at = new Date();
        const priced = priceOrder(items, products);
        const fork = em.fork();
        const order = { id: uuid(), userId, ...priced, status: "pending", createdAt: at, updatedAt: at };
        fork.create(OrderRow, order);
        await fork.flush();
        const told = items.map(({ sku, qty }) => ({ sku, qty }));
        const committedAt = at.toISOString();
        bus.publish("OrderCreated", {
          id: order.id,
          userId: String(userId),
          status: "pending",
          items: told,
          committedAt,
        });
        const total = { currencyCode: priced.currency, units: priced.totalUnits, nanos: priced.totalNanos };
        return create(CreateOrderResponseSchema, {
          order: { id: order.id, userId, status: OrderStatus.PENDING, total, version: 1 },
        });
      },
    });
}
