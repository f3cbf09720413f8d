import { defineEntity, p } from "@mikro-orm/core";
import type { Line } from "../../../services/order/order-entity.ts";

/** The tables of the plain services: what such a shop has without outbox, inbox and saga. */
export const UserRow = defineEntity({
  name: "PlainUser",
  tableName: "users",
  properties: { id: p.integer().primary().autoincrement(), name: p.string(), email: p.string().unique() },
});

/** What the user service keeps of orders. */
export const UserOrderRow = defineEntity({
  name: "PlainUserOrder",
  tableName: "user_orders",
  properties: {
    orderId: p.string().length(36).primary(),
    userId: p.bigint("bigint"),
    status: p.string().length(16),
    /** When the order was committed, and when it was written here. */
    committedAt: p.datetime(3),
    appliedAt: p.datetime(3),
  },
  indexes: [{ properties: ["userId"] }],
});

/** A product and how much of it is free. */
export const ProductRow = defineEntity({
  name: "PlainProduct",
  tableName: "products",
  properties: {
    sku: p.string().length(64).primary(),
    currency: p.character().length(3),
    priceUnits: p.bigint("bigint"),
    priceNanos: p.integer(),
    stock: p.integer(),
  },
});

/** What is reserved for whom. */
export const ReservationRow = defineEntity({
  name: "PlainReservation",
  tableName: "reservations",
  properties: {
    orderId: p.string().length(36).primary(),
    sku: p.string().length(64).primary(),
    qty: p.integer(),
    state: p.string().length(16),
  },
});

/** An order. */
export const OrderRow = defineEntity({
  name: "PlainOrder",
  tableName: "orders",
  properties: {
    id: p.string().length(36).primary(),
    userId: p.bigint("bigint"),
    lines: p.json<readonly Line[]>(),
    status: p.string().length(16),
    currency: p.character().length(3),
    totalUnits: p.bigint("bigint"),
    totalNanos: p.integer(),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
  },
  indexes: [{ properties: ["userId", "id"] }],
});
