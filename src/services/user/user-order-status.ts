import { OrderStatus } from "../../../gen/shop/order/v1/order_pb.ts";
import type { ListedStatus } from "./user-order-entity.ts";

/** What the rows of users' lists say, as the contract says it. */
export const statuses: Readonly<Record<ListedStatus, OrderStatus>> = {
  pending: OrderStatus.PENDING,
  confirmed: OrderStatus.CONFIRMED,
  cancelled: OrderStatus.CANCELLED,
};

const listed = new Map(Object.entries(statuses).map(([word, status]) => [status, word as ListedStatus]));

/** What a row says for a status of the contract; `undefined` for one that is unknown here. */
export function listedStatus(status: OrderStatus): ListedStatus | undefined {
  return listed.get(status);
}
