import type { SqlEntityManager } from "@mikro-orm/sql";
import type { Page } from "../../store/page-token.ts";
import { UserOrder } from "./user-order-entity.ts";

/** A row of a user's list. */
export type ListedOrder = Pick<UserOrder, (typeof columns)[number]>;

const changing = ["status", "itemCount", "currency", "totalUnits", "totalNanos", "version", "updatedAt"] as const;
const columns = ["orderId", "userId", "createdAt", ...changing] as const;

/** The orders of users as they are listed, as one unit of work sees them. */
export function userOrderRepository(em: SqlEntityManager) {
  return {
    /** Takes over how an order is, unless it has been heard of in this version or a later one. */
    async keep(order: ListedOrder): Promise<void> {
      const insert = em.createQueryBuilder(UserOrder).insert(order);
      await insert
        .onConflict("orderId")
        .merge([...changing])
        .where({ version: { $lt: order.version } })
        .execute("run");
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
