import type { ServiceImpl } from "@connectrpc/connect";
import { type UpdateUserRequest, UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { invalidArgument } from "../../call/errors.ts";
import type { Publish } from "../../events/handler.ts";
import type { Store } from "../../store/orm.ts";
import { cutPage, readPage } from "../../store/page-token.ts";
import { RequestAnswers } from "../../store/request-answers.ts";
import { fieldsToChange } from "../../store/update-mask.ts";
import { changeUser, deleteUser, type UserChange } from "./user-changes.ts";
import { userRequests } from "./user-entity.ts";
import { orderToProto, toProto } from "./user-mapping.ts";
import { userOrderRepository } from "./user-order-repository.ts";
import { userRepository } from "./user-repository.ts";

/** What the user service needs. */
export interface UserServiceOptions {
  readonly store: Store;
  /** Tells others, in the transaction of a change, what has happened. */
  readonly publish: Publish;
  readonly clock?: Clock;
}

const listScope = "users";

/** shop.user.v1.UserService. Requests are already valid by the contract's rules. */
export function userService({
  store,
  publish,
  clock = systemClock,
}: UserServiceOptions): ServiceImpl<typeof UserService> {
  const answers = new RequestAnswers({ store, rows: userRequests, clock });
  const { method } = UserService;
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

    createUser(request) {
      const user = { name: request.name, email: request.email };
      return answers.once({
        method: method.createUser,
        request,
        work: async (em) => ({ user: toProto(await userRepository(em).add(user, clock.wall())) }),
        resource: {
          keyOf: (answer) => String(answer.user?.id),
          find: async (em, key) => ({ user: toProto(await userRepository(em).get(BigInt(key))) }),
        },
      });
    },

    updateUser(request) {
      return answers.once({
        method: method.updateUser,
        request,
        work: async (em) => ({ user: toProto(await changeUser(em, readUpdate(request), clock.wall())) }),
      });
    },

    deleteUser(request) {
      const { id, force } = request;
      return answers.once({
        method: method.deleteUser,
        request,
        work: async (em) => {
          await deleteUser(em, { id, version: 0, force }, publish);
          return {};
        },
      });
    },

    async listUserOrders(request) {
      const { userId } = request;
      const scope = `order list of ${userId}`;
      const page = readPage(request, scope);
      const found = await store.read(async (em) => {
        await userRepository(em).get(userId);
        return userOrderRepository(em).list(userId, page);
      });
      const { rows, nextPageToken } = cutPage(found, page, scope, ({ orderId }) => orderId);
      return { orders: rows.map(orderToProto), nextPageToken };
    },
  };
}

function readUpdate({ user, updateMask }: UpdateUserRequest): UserChange {
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
