import { LockMode } from "@mikro-orm/core";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { notFound } from "../../call/errors.ts";
import { changedAt } from "../../store/changed-at.ts";
import type { Page } from "../../store/page-token.ts";
import { type Line, Order } from "./order-entity.ts";
import { confirmPending, insertOrder, type OrderRow } from "./order-rows.ts";

/** Who says what goes wrong here. */
export const domain = "shop.order.v1";

/** What is known of an order before there is one. */
export interface NewOrder {
  readonly id: string;
  readonly userId: bigint;
  readonly lines: readonly Line[];
  readonly currency: string;
  readonly totalUnits: bigint;
  readonly totalNanos: number;
}

/** Orders, as one unit of work sees them. */
export function orderRepository(em: SqlEntityManager) {
  return {
    /** The order, or NOT_FOUND. */
    async get(id: string): Promise<Order> {
      return (await em.findOne(Order, { id })) ?? missing(id);
    },

    /** The order, kept from others until the unit ends, or NOT_FOUND. */
    async getForChange(id: string): Promise<Order> {
      return (await em.findOne(Order, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })) ?? missing(id);
    },

    /** One row more than the page holds, newest first; of one user, or of everyone for 0. */
    list(userId: bigint, { limit, after }: Page): Promise<Order[]> {
      const whose = userId === 0n ? {} : { userId };
      const where = after === undefined ? whose : { ...whose, id: { $lt: after } };
      return em.find(Order, where, { orderBy: { id: "desc" }, limit: limit + 1 });
    },

    /** The versions that these orders are at. */
    versions(ids: readonly string[]): Promise<Pick<Order, "id" | "version">[]> {
      return em.find(Order, { id: { $in: [...ids] } }, { fields: ["id", "version"] });
    },

    /** A new order, pending. */
    async add(order: NewOrder, now: number): Promise<OrderRow> {
      const at = new Date(now);
      const times = { createdAt: at, updatedAt: at, version: 1 };
      const added: OrderRow = { ...order, status: "pending", cancelReason: "", ...times };
      await insertOrder(em, added);
      return added;
    },

    /** Confirms the order if it is pending, and returns it then; nothing when it is past that, or NOT_FOUND. */
    async confirm(id: string, now: number): Promise<OrderRow | undefined> {
      const confirmed = await confirmPending(em, id, now);
      if (confirmed === undefined) await this.get(id);
      return confirmed;
    },

    /** The orders of a user that wait for their stock, kept from others until the unit ends. */
    pendingOf(userId: bigint): Promise<Order[]> {
      const lockMode = LockMode.PESSIMISTIC_WRITE;
      return em.find(Order, { userId, status: "pending" }, { lockMode, orderBy: { id: "asc" } });
    },

    /** Keeps the order from others until the unit ends, if there is one. */
    async lock(id: string): Promise<void> {
      await em.findOne(Order, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    },

    /** Writes how far the order is now. */
    async change(order: Order, to: Pick<Order, "status"> & Partial<Pick<Order, "cancelReason">>, now: number) {
      em.assign(order, { ...to, updatedAt: changedAt(order, now) });
      await em.flush();
    },
  };
}

function missing(id: string): never {
  throw notFound("order", id, domain);
}
