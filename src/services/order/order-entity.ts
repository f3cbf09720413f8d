import { defineEntity, p } from "@mikro-orm/core";
import { serviceEventRows } from "../../events/rows.ts";
import { sagaRows } from "../../events/saga/saga-entity.ts";
import { requestIds } from "../../store/request-ids.ts";

/** How far an order is, as its row says it. */
export type Status = "pending" | "confirmed" | "cancelled";

/** One line of an order as it was sold. JSON has no integer of 64 bits: units are digits. */
export interface Line {
  readonly sku: string;
  readonly qty: number;
  readonly priceUnits: string;
  readonly priceNanos: number;
}

const OrderSchema = defineEntity({
  name: "Order",
  tableName: "orders",
  properties: {
    /** A UUIDv7: later orders have larger ids. */
    id: p.string().length(36).primary(),
    userId: p.bigint("bigint"),
    /** Written once with the order and only ever read with it. */
    lines: p.json<readonly Line[]>(),
    status: p.string().length(16).$type<Status>(),
    currency: p.character().length(3),
    totalUnits: p.bigint("bigint"),
    totalNanos: p.integer(),
    cancelReason: p.string().length(200),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
    version: p.integer().version(),
  },
  indexes: [{ properties: ["userId", "id"] }],
});

/** An order as a row. */
export class Order extends OrderSchema.class {}
OrderSchema.setClass(Order);

/** Which requests created which orders. */
export const orderRequests = requestIds("order");

/** The events that the order service publishes, and those that it has taken in. */
export const orderEventRows = serviceEventRows("order");

/** How far the placing of each order is. */
export const orderSagas = sagaRows("order");

/** The order service's rows, as `openStore` takes them. */
export const orderRows = {
  name: "order",
  entities: [OrderSchema, orderRequests, orderSagas, ...orderEventRows.entities],
  migrationsDir: `${import.meta.dirname}/migrations`,
};
