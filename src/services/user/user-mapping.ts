import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { UserSchema } from "../../../gen/shop/user/v1/user_pb.ts";
import type { User } from "./user-entity.ts";

/** The row as callers see it. */
export function toProto(user: User): MessageInitShape<typeof UserSchema> {
  const { id, name, email, version } = user;
  const createdAt = timestampFromDate(user.createdAt);
  const updatedAt = timestampFromDate(user.updatedAt);
  return { id, name, email, createdAt, updatedAt, version };
}
