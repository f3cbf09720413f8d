import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { OrderStatus } from "../../../../gen/shop/order/v1/order_pb.ts";
import { type User, UserService } from "../../../../gen/shop/user/v1/user_pb.ts";
import { answers, type Case, fails } from "../case.ts";
import type { Shop } from "../shop.ts";

const { listUsers, getUser, createUser, updateUser, deleteUser, listUserOrders } = UserService.method;
const [unknownId, longText] = [999_999n, "x".repeat(101)];
const missing = { code: Code.NotFound, reason: "USER_NOT_FOUND" };

/** Somebody new. */
export function person(shop: Shop) {
  const number = shop.next();
  return { name: `Ada ${number}`, email: `ada-${number}@example.com` };
}

/** A user there is, and that no other case knows. */
export async function aUser(shop: Shop): Promise<User> {
  const { user = expect.fail() } = await shop.users.createUser(person(shop));
  return user;
}

/** shop.user.v1.UserService. */
export const userCases: readonly Case[] = [
  answers(listUsers, "a page, and a token for the next one", {
    given: async (shop) => {
      await aUser(shop);
      await aUser(shop);
      return { pageSize: 1 };
    },
    check: ([{ users, nextPageToken }]) => {
      expect(users).toMatchObject([{ name: expect.stringMatching(/^Ada/), version: 1 }]);
      expect(nextPageToken).not.toBe("");
    },
  }),
  fails(listUsers, "a page that is too large", {
    given: () => ({ pageSize: 1001 }),
    code: Code.InvalidArgument,
    fields: ["page_size"],
  }),
  fails(listUsers, "a page token of somebody else's making", {
    given: () => ({ pageToken: "garbage" }),
    code: Code.InvalidArgument,
    fields: ["page_token"],
  }),

  answers(getUser, "a user", {
    given: async (shop) => ({ id: (await aUser(shop)).id }),
    check: ([{ user }], [{ id }]) => {
      expect(user).toMatchObject({ id, name: expect.stringMatching(/^Ada/), version: 1 });
      expect(user?.createdAt).toEqual(user?.updatedAt);
    },
  }),
  fails(getUser, "a user that does not exist", { given: () => ({ id: unknownId }), ...missing }),
  fails(getUser, "an id that no user can have", {
    given: () => ({ id: 0n }),
    code: Code.InvalidArgument,
    fields: ["id"],
  }),

  answers(createUser, "a user, with id, times and version", {
    given: person,
    check: ([{ user }], [{ name, email }]) => {
      expect(user).toMatchObject({ name, email, version: 1 });
      expect(user?.id).toBeGreaterThan(0n);
    },
  }),
  answers(createUser, "the same user for the same request id", {
    given: async (shop) => {
      const request = { ...person(shop), requestId: `request-${shop.next()}` };
      await shop.users.createUser(request);
      return request;
    },
    check: ([{ user }], [{ email }]) => expect(user).toMatchObject({ email, version: 1 }),
  }),
  fails(createUser, "an email that another has, in other capitals", {
    given: async (shop) => ({ name: "Eve", email: (await aUser(shop)).email.toUpperCase() }),
    code: Code.AlreadyExists,
    reason: "EMAIL_TAKEN",
  }),
  fails(createUser, "neither name nor email", {
    given: () => ({ name: "", email: "nobody" }),
    code: Code.InvalidArgument,
    fields: ["name", "email"],
  }),
  fails(createUser, "a name that is too long", {
    given: (shop) => ({ ...person(shop), name: longText }),
    code: Code.InvalidArgument,
    fields: ["name"],
  }),
  fails(createUser, "a request id that stands for something else", {
    given: async (shop) => {
      const request = { ...person(shop), requestId: `request-${shop.next()}` };
      await shop.users.createUser(request);
      return { ...request, name: "Eve" };
    },
    code: Code.InvalidArgument,
    reason: "REQUEST_ID_REUSED",
    fields: ["request_id"],
  }),

  answers(updateUser, "the fields of the mask, and no others", {
    given: async (shop) => {
      const { id, version } = await aUser(shop);
      return { user: { id, version, name: "Countess", email: "" }, updateMask: { paths: ["name"] } };
    },
    check: ([{ user }], [request]) => {
      expect(user).toMatchObject({ id: request.user?.id, name: "Countess", version: 2 });
      expect(user?.email).toMatch(/^ada-/);
    },
  }),
  answers(updateUser, "the fields that are filled, without a mask", {
    given: async (shop) => ({ user: { id: (await aUser(shop)).id, email: `new-${shop.next()}@example.com` } }),
    check: ([{ user }], [request]) => {
      expect(user).toMatchObject({ email: request.user?.email, version: 2 });
      expect(user?.name).toMatch(/^Ada/);
    },
  }),
  fails(updateUser, "a user that does not exist", {
    given: () => ({ user: { id: unknownId, name: "Eve" } }),
    ...missing,
  }),
  fails(updateUser, "an email that another has", {
    given: async (shop) => ({ user: { id: (await aUser(shop)).id, email: (await aUser(shop)).email } }),
    code: Code.AlreadyExists,
    reason: "EMAIL_TAKEN",
  }),
  fails(updateUser, "a version that is no longer the current one", {
    given: async (shop) => {
      const { id, version } = await aUser(shop);
      await shop.users.updateUser({ user: { id, name: "Countess" } });
      return { user: { id, version, name: "Lady" } };
    },
    code: Code.Aborted,
    reason: "VERSION_CONFLICT",
  }),
  fails(updateUser, "an email that is none", {
    given: async (shop) => ({ user: { id: (await aUser(shop)).id, email: "nobody" } }),
    code: Code.InvalidArgument,
    fields: ["user.email"],
  }),
  fails(updateUser, "a mask that names what no user has", {
    given: async (shop) => ({ user: { id: (await aUser(shop)).id }, updateMask: { paths: ["age"] } }),
    code: Code.InvalidArgument,
    fields: ["update_mask"],
  }),

  answers(deleteUser, "a user", {
    given: async (shop) => ({ id: (await aUser(shop)).id }),
    check: ([answer]) => expect(answer.$typeName).toBe("shop.user.v1.DeleteUserResponse"),
  }),
  fails(deleteUser, "a user deleted already", {
    given: async (shop) => {
      const { id } = await aUser(shop);
      await shop.users.deleteUser({ id });
      return { id };
    },
    ...missing,
  }),
  answers(deleteUser, "a user with a pending order, by force", {
    given: async (shop) => {
      const { id } = await aUser(shop);
      await shop.orderHeard(id);
      return { id, force: true };
    },
    check: ([answer]) => expect(answer.$typeName).toBe("shop.user.v1.DeleteUserResponse"),
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

  answers(listUserOrders, "the orders that were heard of, a page of them", {
    given: async (shop) => {
      const { id } = await aUser(shop);
      await shop.orderHeard(id);
      await shop.orderHeard(id);
      return { userId: id, pageSize: 1 };
    },
    check: ([{ orders, nextPageToken }]) => {
      expect(orders).toMatchObject([{ status: OrderStatus.PENDING, itemCount: 1, version: 1 }]);
      expect(nextPageToken).not.toBe("");
    },
  }),
  fails(listUserOrders, "a user that does not exist", { given: () => ({ userId: unknownId }), ...missing }),
  fails(listUserOrders, "a page token of somebody else's making", {
    given: async (shop) => ({ userId: (await aUser(shop)).id, pageToken: "garbage" }),
    code: Code.InvalidArgument,
    fields: ["page_token"],
  }),
];
