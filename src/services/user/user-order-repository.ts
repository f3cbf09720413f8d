import type { SqlEntityManager } from "@mikro-orm/sql";
import type { Page } from "../../store/page-token.ts";
import { queryLater, storable } from "../../store/query.ts";
import { UserOrder } from "./user-order-entity.ts";

/** A row of a user's list. */
export type ListedOrder = Pick<
  UserOrder,
  | "orderId"
  | "userId"
  | "createdAt"
  | "status"
  | "itemCount"
  | "currency"
  | "totalUnits"
  | "totalNanos"
  | "version"
  | "updatedAt"
>;

const keptColumns = ["order_id", "user_id", "created_at"];
const changingColumns = ["status", "item_count", "currency", "total_units", "total_nanos", "version", "updated_at"];

/** One statement whose text is always the same, as each order comes by here twice. */
const keepSql = `insert into user_orders (${[...keptColumns, ...changingColumns].join(", ")})
  values (${[...keptColumns, ...changingColumns].map(() => "?").join(", ")})
  on conflict (order_id) do update set ${changingColumns.map((column) => `${column} = excluded.${column}`).join(", ")}
  where user_orders.version < excluded.version`;

/** The orders of users as they are listed, as one unit of work sees them. */
export function userOrderRepository(em: SqlEntityManager) {
  return {
    /** Takes over how an order is, unless it has been heard of in this version or a later one. */
    async keep(order: ListedOrder): Promise<void> {
      const { orderId, userId, status, itemCount, currency, totalUnits, totalNanos, version } = order;
      const fixed = [storable(orderId), userId, order.createdAt];
      const changing = [status, itemCount, storable(currency), totalUnits, totalNanos, version, order.updatedAt];
      await queryLater(em, keepSql, [...fixed, ...changing]);
    },

    /** One row more than the page holds, newest first. */
    list(userId: bigint, { limit, after }: Page): Promise<UserOrder[]> {
      const where = after === undefined ? { userId } : { userId, orderId: { $lt: after } };
      return em.find(UserOrder, where, { orderBy: { orderId: "desc" }, limit: limit + 1 });
    },

    /** How many orders of the user are known to be pending. */
    countPending(userId: bigint): Promise<number> {
      return em.count(UserOrder, { userId, status: "pending" });
    },

    /** Forgets everything that was heard. */
    async clear(): Promise<void> {
      await em.nativeDelete(UserOrder, {});
    },
  };
}
