import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { UserSchema } from "../../../gen/shop/user/v2/user_pb.ts";
import type { UserRow } from "./user-rows.ts";

/** The row as callers of shop.user.v2 see it. */
export function toProtoV2({ id, name, email, version, ...row }: UserRow): MessageInitShape<typeof UserSchema> {
  const createTime = timestampFromDate(row.createdAt);
  const updateTime = timestampFromDate(row.updatedAt);
  return { id, displayName: name, email, createTime, updateTime, etag: String(version) };
}

/** The version that an etag stands for; 0, which is any, for none. The contract lets no other text pass. */
export function versionOf(etag: string): number {
  return Number(etag);
}
