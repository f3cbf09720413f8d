import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { UserService } from "../../../../gen/shop/user/v2/user_pb.ts";
import { answers, type Case, fails } from "../case.ts";
import type { Shop } from "../shop.ts";
import { aUser, person } from "./user-cases.ts";

const { listUsers, getUser, createUser, updateUser, deleteUser } = UserService.method;
const [unknownId, longText] = [999_999n, "x".repeat(101)];
const missing = { code: Code.NotFound, reason: "USER_NOT_FOUND" };

function personV2(shop: Shop) {
  const { name, email } = person(shop);
  return { displayName: name, email };
}

/** shop.user.v2.UserService. What is there, v1 has made: both are about the same users. */
export const userV2Cases: readonly Case[] = [
  answers(listUsers, "a page, and a token for the next one", {
    given: async (shop) => {
      await aUser(shop);
      await aUser(shop);
      return { pageSize: 1 };
    },
    check: ([{ users, nextPageToken }]) => {
      expect(users).toMatchObject([{ displayName: expect.stringMatching(/^Ada/), etag: "1" }]);
      expect(nextPageToken).not.toBe("");
    },
  }),
  answers(listUsers, "the one with an email, in other capitals", {
    given: async (shop) => ({ email: (await aUser(shop)).email.toUpperCase() }),
    check: ([{ users, nextPageToken }], [{ email }]) => {
      expect(users).toMatchObject([{ email: email.toLowerCase() }]);
      expect(nextPageToken).toBe("");
    },
  }),
  fails(listUsers, "a page that is too large", {
    given: () => ({ pageSize: 1001 }),
    code: Code.InvalidArgument,
    fields: ["page_size"],
  }),

  answers(getUser, "a user that v1 created", {
    given: async (shop) => ({ id: (await aUser(shop)).id }),
    check: ([{ user }], [{ id }]) => {
      expect(user).toMatchObject({ id, displayName: expect.stringMatching(/^Ada/), etag: "1" });
      expect(user?.createTime).toEqual(user?.updateTime);
    },
  }),
  fails(getUser, "a user that does not exist", { given: () => ({ id: unknownId }), ...missing }),

  answers(createUser, "a user, with id, times and etag", {
    given: personV2,
    check: ([{ user }], [{ displayName, email }]) => {
      expect(user).toMatchObject({ displayName, email, etag: "1" });
      expect(user?.id).toBeGreaterThan(0n);
    },
  }),
  fails(createUser, "an email that a user of v1 has", {
    given: async (shop) => ({ displayName: "Eve", email: (await aUser(shop)).email }),
    code: Code.AlreadyExists,
    reason: "EMAIL_TAKEN",
  }),
  fails(createUser, "neither name nor email", {
    given: () => ({ displayName: "", email: "nobody" }),
    code: Code.InvalidArgument,
    fields: ["display_name", "email"],
  }),
  fails(createUser, "a name that is too long", {
    given: (shop) => ({ ...personV2(shop), displayName: longText }),
    code: Code.InvalidArgument,
    fields: ["display_name"],
  }),

  answers(updateUser, "the fields of the mask, and no others", {
    given: async (shop) => {
      const { id, version } = await aUser(shop);
      const user = { id, etag: String(version), displayName: "Countess", email: "" };
      return { user, updateMask: { paths: ["display_name"] } };
    },
    check: ([{ user }], [request]) => {
      expect(user).toMatchObject({ id: request.user?.id, displayName: "Countess", etag: "2" });
      expect(user?.email).toMatch(/^ada-/);
    },
  }),
  fails(updateUser, "a field that may not be emptied", {
    given: async (shop) => ({ user: { id: (await aUser(shop)).id }, updateMask: { paths: ["display_name"] } }),
    code: Code.InvalidArgument,
    fields: ["user.display_name"],
  }),
  fails(updateUser, "a name of v1", {
    given: async (shop) => ({ user: { id: (await aUser(shop)).id }, updateMask: { paths: ["name"] } }),
    code: Code.InvalidArgument,
    fields: ["update_mask"],
  }),
  fails(updateUser, "a user that does not exist", {
    given: () => ({ user: { id: unknownId, displayName: "Eve" }, updateMask: { paths: ["display_name"] } }),
    ...missing,
  }),
  fails(updateUser, "an email that another has", {
    given: async (shop) => ({
      user: { id: (await aUser(shop)).id, email: (await aUser(shop)).email },
      updateMask: { paths: ["email"] },
    }),
    code: Code.AlreadyExists,
    reason: "EMAIL_TAKEN",
  }),
  fails(updateUser, "an etag that is no longer the current one, for v1 has changed the user", {
    given: async (shop) => {
      const { id, version } = await aUser(shop);
      await shop.users.updateUser({ user: { id, name: "Countess" } });
      return { user: { id, etag: String(version), displayName: "Lady" }, updateMask: { paths: ["display_name"] } };
    },
    code: Code.Aborted,
    reason: "VERSION_CONFLICT",
  }),
  fails(updateUser, "an etag that no user can have", {
    given: async (shop) => ({
      user: { id: (await aUser(shop)).id, etag: "W/1", displayName: "Lady" },
      updateMask: { paths: ["display_name"] },
    }),
    code: Code.InvalidArgument,
    fields: ["user.etag"],
  }),

  answers(deleteUser, "a user at its etag", {
    given: async (shop) => ({ id: (await aUser(shop)).id, etag: "1" }),
    check: ([answer]) => expect(answer.$typeName).toBe("shop.user.v2.DeleteUserResponse"),
  }),
  answers(deleteUser, "a user at whatever etag", {
    given: async (shop) => ({ id: (await aUser(shop)).id }),
    check: ([answer]) => expect(answer.$typeName).toBe("shop.user.v2.DeleteUserResponse"),
  }),
  fails(deleteUser, "a user that has changed since", {
    given: async (shop) => {
      const { id } = await aUser(shop);
      await shop.users.updateUser({ user: { id, name: "Countess" } });
      return { id, etag: "1" };
    },
    code: Code.Aborted,
    reason: "VERSION_CONFLICT",
  }),
  answers(deleteUser, "a user with a pending order, by force", {
    given: async (shop) => {
      const { id } = await aUser(shop);
      await shop.orderHeard(id);
      return { id, force: true };
    },
    check: ([answer]) => expect(answer.$typeName).toBe("shop.user.v2.DeleteUserResponse"),
  }),
  fails(deleteUser, "a user with a pending order", {
    given: async (shop) => {
      const { id } = await aUser(shop);
      await shop.orderHeard(id);
      return { id };
    },
    code: Code.FailedPrecondition,
    reason: "USER_HAS_OPEN_ORDERS",
  }),
  fails(deleteUser, "a user deleted already", {
    given: async (shop) => {
      const { id } = await aUser(shop);
      await shop.users.deleteUser({ id });
      return { id };
    },
    ...missing,
  }),
];
