import { defineEntity, p } from "@mikro-orm/core";

/** How far an order is, as its row in a user's list says it. */
export type ListedStatus = "pending" | "confirmed" | "cancelled";

/**
 * The orders of users, as far as the user service has heard of them. No more than a view of the order service's events: it can
 * be emptied and made anew, and a row may be of a user who is gone or whom nobody has heard of.
 */
export const UserOrderSchema = defineEntity({
  name: "UserOrder",
  tableName: "user_orders",
  properties: {
    /** A UUIDv7: later orders have larger ids. */
    orderId: p.string().length(36).primary(),
    userId: p.bigint("bigint"),
    status: p.string().length(16).$type<ListedStatus>(),
    currency: p.character().length(3),
    totalUnits: p.bigint("bigint"),
    totalNanos: p.integer(),
    itemCount: p.integer(),
    /** The order's own version, which its events bring: what is older than it changes nothing. */
    version: p.integer(),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
  },
  indexes: [{ properties: ["userId", "orderId"] }],
});

/** An order of a user as a row. */
export class UserOrder extends UserOrderSchema.class {}
UserOrderSchema.setClass(UserOrder);
