import { defineEntity, p } from "@mikro-orm/core";
import { serviceEventRows } from "../../events/rows.ts";
import { IdType } from "../../store/id-type.ts";
import { requestIds } from "../../store/request-ids.ts";
import { UserOrderSchema } from "./user-order-entity.ts";

const UserSchema = defineEntity({
  name: "User",
  tableName: "users",
  properties: {
    id: p.type(IdType).primary().autoincrement(),
    name: p.string().length(100),
    email: p.string().length(100),
    /** The email in lower case: what makes two emails the same. */
    emailKey: p.string().length(100).unique(),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
    version: p.integer().version(),
  },
});

/** A user as a row. */
export class User extends UserSchema.class {}
UserSchema.setClass(User);

/** Which requests created which users. */
export const userRequests = requestIds("user");

/** The events that the user service publishes, and those that it has taken in. */
export const userEventRows = serviceEventRows("user");

/** The user service's rows, as `openStore` takes them. */
export const userRows = {
  name: "user",
  entities: [UserSchema, UserOrderSchema, userRequests, ...userEventRows.entities],
  migrationsDir: `${import.meta.dirname}/migrations`,
};
