import type { ServiceImpl } from "@connectrpc/connect";
import {
  CreateUserRequestSchema,
  type UpdateUserRequest,
  type User as UserMessage,
  type UserService,
} from "../../../gen/shop/user/v1/user_pb.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { invalidArgument } from "../../call/errors.ts";
import type { Store } from "../../store/orm.ts";
import { cutPage, readPage } from "../../store/page-token.ts";
import { createOnce, createRequest } from "../../store/request-ids.ts";
import { fieldsToChange } from "../../store/update-mask.ts";
import { userRequests } from "./user-entity.ts";
import { toProto } from "./user-mapping.ts";
import { type NewUser, userRepository } from "./user-repository.ts";

/** What the user service needs. */
export interface UserServiceOptions {
  readonly store: Store;
  readonly clock?: Clock;
}

const listScope = "users";

/** shop.user.v1.UserService. Requests are already valid by the contract's rules. */
export function userService({ store, clock = systemClock }: UserServiceOptions): ServiceImpl<typeof UserService> {
  return {
    async listUsers(request) {
      const page = readPage(request, listScope);
      const found = await store.read((em) => userRepository(em).list(page));
      const { rows, nextPageToken } = cutPage(found, page, listScope, ({ id }) => String(id));
      return { users: rows.map(toProto), nextPageToken };
    },

    async getUser({ id }) {
      return { user: toProto(await store.read((em) => userRepository(em).get(id))) };
    },

    async createUser(request) {
      const { name, email } = request;
      const once = { ...createRequest(CreateUserRequestSchema, request), now: clock.wall() };
      const user = await store.unit((em) =>
        createOnce(em, userRequests, once, {
          create: () => userRepository(em).add({ name, email }, once.now),
          keyOf: ({ id }) => String(id),
          find: (key) => userRepository(em).get(BigInt(key)),
        }),
      );
      return { user: toProto(user) };
    },

    async updateUser(request) {
      const { id, version, values } = readUpdate(request);
      const changed = await store.unit(async (em) => {
        const users = userRepository(em);
        const user = await users.getForChange(id, version);
        await users.change(user, values, clock.wall());
        return user;
      });
      return { user: toProto(changed) };
    },

    async deleteUser({ id }) {
      await store.unit((em) => userRepository(em).remove(id));
      return {};
    },
  };
}

function readUpdate({ user, updateMask }: UpdateUserRequest): Pick<UserMessage, "id" | "version"> & {
  readonly values: Partial<NewUser>;
} {
  if (user === undefined || user.id <= 0n) {
    throw invalidArgument([{ field: "user.id", description: "has to be the id of a user, from 1" }]);
  }
  const fields = fieldsToChange(updateMask, {
    resource: "user",
    fields: ["name", "email"],
    required: ["name", "email"],
    ignored: ["id", "created_at", "updated_at", "version"],
    filled: (field) => user[field] !== "",
  });
  const values = Object.fromEntries(fields.map((field) => [field, user[field]]));
  return { id: user.id, version: user.version, values };
}
