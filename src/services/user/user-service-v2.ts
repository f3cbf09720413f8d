import type { ServiceImpl } from "@connectrpc/connect";
import { type UpdateUserRequest, UserService } from "../../../gen/shop/user/v2/user_pb.ts";
import { systemClock } from "../../base/clock.ts";
import { invalidArgument } from "../../call/errors.ts";
import { cutPage, readPage } from "../../store/page-token.ts";
import { RequestAnswers } from "../../store/request-answers.ts";
import { fieldsToChange } from "../../store/update-mask.ts";
import { changeUser, deleteUser, type UserChange } from "./user-changes.ts";
import { userRequests } from "./user-entity.ts";
import { toProtoV2, versionOf } from "./user-mapping-v2.ts";
import { type NewUser, userRepository } from "./user-repository.ts";
import type { UserServiceOptions } from "./user-service.ts";

/** shop.user.v2.UserService: the same users as v1 has, as v2 describes them. Requests are already valid by the contract's rules. */
export function userServiceV2({
  store,
  publish,
  clock = systemClock,
}: UserServiceOptions): ServiceImpl<typeof UserService> {
  const answers = new RequestAnswers({ store, rows: userRequests, clock });
  const { method } = UserService;
  return {
    async listUsers(request) {
      const scope = request.email === "" ? "users" : `users of ${request.email.toLowerCase()}`;
      const page = readPage(request, scope);
      const found = await store.read((em) => userRepository(em).list(page, request.email));
      const { rows, nextPageToken } = cutPage(found, page, scope, ({ id }) => String(id));
      return { users: rows.map(toProtoV2), nextPageToken };
    },

    async getUser({ id }) {
      return { user: toProtoV2(await store.read((em) => userRepository(em).get(id))) };
    },

    createUser(request) {
      const user = { name: request.displayName, email: request.email };
      return answers.once({
        method: method.createUser,
        request,
        work: async (em) => ({ user: toProtoV2(await userRepository(em).add(user, clock.wall())) }),
        resource: {
          keyOf: (answer) => String(answer.user?.id),
          find: async (em, key) => ({ user: toProtoV2(await userRepository(em).get(BigInt(key))) }),
        },
      });
    },

    updateUser(request) {
      return answers.once({
        method: method.updateUser,
        request,
        work: async (em) => ({ user: toProtoV2(await changeUser(em, readUpdate(request), clock.wall())) }),
      });
    },

    deleteUser(request) {
      const { id, etag, force } = request;
      return answers.once({
        method: method.deleteUser,
        request,
        work: async (em) => {
          await deleteUser(em, { id, version: versionOf(etag), force }, publish);
          return {};
        },
      });
    },
  };
}

function readUpdate({ user, updateMask }: UpdateUserRequest): UserChange {
  if (user === undefined || user.id <= 0n) {
    throw invalidArgument([{ field: "user.id", description: "has to be the id of a user, from 1" }]);
  }
  const told: Readonly<Record<"display_name" | "email", string>> = {
    display_name: user.displayName,
    email: user.email,
  };
  const fields = fieldsToChange(updateMask, {
    resource: "user",
    fields: ["display_name", "email"],
    required: ["display_name", "email"],
    ignored: ["id", "create_time", "update_time", "etag"],
    filled: (field) => told[field] !== "",
  });
  const values: Partial<NewUser> = {
    ...(fields.includes("display_name") && { name: user.displayName }),
    ...(fields.includes("email") && { email: user.email }),
  };
  return { id: user.id, version: versionOf(user.etag), values };
}
