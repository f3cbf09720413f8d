import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type OrderSchema, OrderStatus } from "../../../gen/shop/order/v1/order_pb.ts";
import type { Status } from "./order-entity.ts";
import type { OrderRow } from "./order-rows.ts";

const statuses: Readonly<Record<Status, OrderStatus>> = {
  pending: OrderStatus.PENDING,
  confirmed: OrderStatus.CONFIRMED,
  cancelled: OrderStatus.CANCELLED,
};

/** The row as callers see it. */
export function toProto(order: OrderRow): MessageInitShape<typeof OrderSchema> {
  const { id, userId, currency: currencyCode, version, cancelReason } = order;
  return {
    id,
    userId,
    items: order.lines.map(({ sku, qty, priceUnits, priceNanos }) => {
      return { sku, qty, price: { currencyCode, units: BigInt(priceUnits), nanos: priceNanos } };
    }),
    status: statuses[order.status],
    total: { currencyCode, units: order.totalUnits, nanos: order.totalNanos },
    createdAt: timestampFromDate(order.createdAt),
    updatedAt: timestampFromDate(order.updatedAt),
    version,
    cancelReason,
  };
}
