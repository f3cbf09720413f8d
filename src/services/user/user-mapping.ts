import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { UserOrderSchema, UserSchema } from "../../../gen/shop/user/v1/user_pb.ts";
import type { UserOrder } from "./user-order-entity.ts";
import { statuses } from "./user-order-status.ts";
import type { UserRow } from "./user-rows.ts";

/** The row as callers see it. */
export function toProto(user: UserRow): MessageInitShape<typeof UserSchema> {
  const { id, name, email, version } = user;
  const createdAt = timestampFromDate(user.createdAt);
  const updatedAt = timestampFromDate(user.updatedAt);
  return { id, name, email, createdAt, updatedAt, version };
}

/** The row of a user's list as callers see it. */
export function orderToProto(order: UserOrder): MessageInitShape<typeof UserOrderSchema> {
  const { orderId, itemCount, version, currency: currencyCode, totalUnits: units, totalNanos: nanos } = order;
  const createdAt = timestampFromDate(order.createdAt);
  const updatedAt = timestampFromDate(order.updatedAt);
  const status = statuses[order.status];
  return { orderId, status, total: { currencyCode, units, nanos }, itemCount, version, createdAt, updatedAt };
}
