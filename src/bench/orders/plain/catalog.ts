import type { ConnectRouter } from "@connectrpc/connect";
import { LockMode } from "@mikro-orm/core";
import { CatalogService } from "../../../../gen/shop/catalog/v1/catalog_pb.ts";
import type { Bus } from "./bus.ts";
import { openDatabase } from "./database.ts";
import { ProductRow, ReservationRow } from "./rows.ts";

interface OrderEvent {
  readonly id: string;
  readonly items: readonly { readonly sku: string; readonly qty: number }[];
}

/** The catalog: products, and stock that it reserves by events. */
export async function openCatalog(databaseUrl: string, bus: Bus): Promise<(router: ConnectRouter) => void> {
  const em = await openDatabase(databaseUrl, [ProductRow, ReservationRow]);
  const reserve = async ({ id, items }: OrderEvent) => {
    await em.fork().transactional(async (tx) => {
      for (const { sku, qty } of items) {
        const product = await tx.findOneOrFail(ProductRow, { sku }, { lockMode: LockMode.PESSIMISTIC_WRITE });
        product.stock -= qty;
        tx.create(ReservationRow, { orderId: id, sku, qty, state: "reserved" });
      }
    });
    bus.publish("StockReserved", { id });
  };
  const sell = ({ id }: OrderEvent) => em.fork().nativeUpdate(ReservationRow, { orderId: id }, { state: "sold" });
  await bus.consume("catalog", ["OrderCreated", "OrderConfirmed"], async (type, event: OrderEvent) => {
    await (type === "OrderCreated" ? reserve(event) : sell(event));
  });
  return (router) =>
    router.service(CatalogService, {
      async createProduct({ sku, name, price, stock }) {
        const fork = em.fork();
        const { currencyCode: currency = "EUR", units = 0n, nanos = 0 } = price ?? {};
        fork.create(ProductRow, { sku, currency, priceUnits: units, priceNanos: nanos, stock });
        await fork.flush();
        return { product: { sku, name, stock } };
      },
      async batchGetProducts({ skus }) {
        const found = await em.fork().find(ProductRow, { sku: { $in: skus } });
        const products = skus.map((sku) => {
          const row = found.find((product) => product.sku === sku);
          const price = {
            currencyCode: row?.currency ?? "",
            units: row?.priceUnits ?? 0n,
            nanos: row?.priceNanos ?? 0,
          };
          return { sku, price, stock: row?.stock ?? 0 };
        });
        return { products };
      },
    });
}
