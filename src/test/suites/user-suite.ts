import { create } from "@bufbuild/protobuf";
import { FieldMaskSchema, timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import {
  OrderCancelledSchema,
  OrderConfirmedSchema,
  OrderCreatedSchema,
} from "../../../gen/shop/order/v1/events_pb.ts";
import { OrderStatus, OrderStatusSchema } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserDeletedSchema } from "../../../gen/shop/user/v1/events_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { UserService as UserServiceV2 } from "../../../gen/shop/user/v2/user_pb.ts";
import { userEventRows, userRows } from "../../services/user/user-entity.ts";
import { userOrderSubscription } from "../../services/user/user-order-events.ts";
import { userService } from "../../services/user/user-service.ts";
import { userServiceV2 } from "../../services/user/user-service-v2.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { expectError } from "./errors.ts";
import { hear, publishedOf, publishingTo } from "./events.ts";
import { clientOf, openReplicas } from "./open-service.ts";
import { schemaSuite } from "./schema-suite.ts";

const ada = { name: "Ada", email: "ada@example.com" };
const publish = publishingTo(userEventRows);
const mask = (...paths: string[]) => create(FieldMaskSchema, { paths });

/** What the user service promises, whatever the database. */
export function userSuite(kind: DatabaseKind): void {
  const clock = fakeClock();
  const parts = {
    service: UserService,
    rows: userRows,
    implement: (store: Parameters<typeof userService>[0]["store"]) => userService({ store, publish, clock }),
  };
  const open = async (count = 1) => {
    const replicas = await openReplicas(kind, parts, count);
    const [users = expect.fail(), second = users] = replicas.clients;
    return { users, second, stores: replicas.stores, [Symbol.asyncDispose]: () => replicas[Symbol.asyncDispose]() };
  };

  /** A user service that hears of orders, and three users of whom the last is deleted. */
  const openWithOrders = async () => {
    const shop = await open();
    for (const name of ["a", "b", "c"]) await shop.users.createUser({ name, email: `${name}@example.com` });
    await shop.users.deleteUser({ id: 3n });
    const [store = expect.fail()] = shop.stores;
    const orders = userOrderSubscription();
    const [created, confirmed, cancelled] = [
      [OrderCreatedSchema, OrderStatus.PENDING, 1] as const,
      [OrderConfirmedSchema, OrderStatus.CONFIRMED, 2] as const,
      [OrderCancelledSchema, OrderStatus.CANCELLED, 3] as const,
    ];
    const tell = async (
      [schema, status, version]: typeof created | typeof confirmed | typeof cancelled,
      id: string,
      userId = 1n,
    ) => {
      const total = { currencyCode: "EUR", units: 19n, nanos: 980_000_000 };
      const times = { createdAt: timestampFromMs(1_000), updatedAt: timestampFromMs(1_000 * version) };
      const order = { id, userId, items: [{ sku: "ABC", qty: 2 }], status, version, total, ...times };
      await hear(store, orders, schema, { order });
    };
    const list = async (userId = 1n) => {
      const { orders } = await shop.users.listUserOrders({ userId });
      return orders.map(({ orderId, status }) => `${orderId} ${OrderStatusSchema.value[status]?.localName}`);
    };
    return { ...shop, store, clear: orders.clear, created, confirmed, cancelled, tell, list };
  };

  schemaSuite(kind, userRows);

  test("a user created is a user found", async () => {
    await using shop = await open();
    const { user } = await shop.users.createUser(ada);
    expect(user).toMatchObject({ id: 1n, ...ada, version: 1 });
    expect(user?.createdAt && timestampDate(user.createdAt).getTime()).toBe(clock.now());
    expect((await shop.users.getUser({ id: 1n })).user).toEqual(user);
  });

  test("a user that does not exist is NOT_FOUND, however it is asked for", async () => {
    await using shop = await open();
    const missing = { code: Code.NotFound, reason: "USER_NOT_FOUND", message: /user 7 does not exist/ };
    await expectError(shop.users.getUser({ id: 7n }), missing);
    await expectError(shop.users.updateUser({ user: { id: 7n, name: "x" } }), missing);
    await expectError(shop.users.deleteUser({ id: 7n }), missing);
  });

  test("an email belongs to one user, whatever its case, at creation and at change", async () => {
    await using shop = await open();
    await shop.users.createUser(ada);
    const taken = { code: Code.AlreadyExists, reason: "EMAIL_TAKEN" };
    await expectError(shop.users.createUser({ name: "Eve", email: "ADA@Example.com" }), taken);
    const { user } = await shop.users.createUser({ name: "Eve", email: "eve@example.com" });
    await expectError(shop.users.updateUser({ user: { id: user?.id ?? 0n, email: "Ada@example.com" } }), taken);
    const own = await shop.users.updateUser({ user: { id: 1n, email: "Ada@example.com" } });
    expect(own.user?.email).toBe("Ada@example.com");
  });

  test("users are listed oldest first, page by page, each once", async () => {
    await using shop = await open();
    for (const name of ["a", "b", "c", "d", "e"]) await shop.users.createUser({ name, email: `${name}@example.com` });
    const names: string[] = [];
    for (let pageToken = ""; ; ) {
      const page = await shop.users.listUsers({ pageSize: 2, pageToken });
      expect(page.users.length).toBeLessThanOrEqual(2);
      names.push(...page.users.map(({ name }) => name));
      pageToken = page.nextPageToken;
      if (pageToken === "") break;
    }
    expect(names).toEqual(["a", "b", "c", "d", "e"]);
    const garbage = { code: Code.InvalidArgument, fields: ["page_token"] };
    await expectError(shop.users.listUsers({ pageToken: "garbage" }), garbage);
  });

  test("an update changes the fields of its mask, and without one the fields it fills", async () => {
    await using shop = await open();
    const { user: before } = await shop.users.createUser(ada);
    await clock.advance(1_000);
    const masked = await shop.users.updateUser({
      user: { id: 1n, name: "Countess", email: "x@y.z" },
      updateMask: mask("name"),
    });
    expect(masked.user).toMatchObject({ name: "Countess", email: ada.email, version: 2, createdAt: before?.createdAt });
    expect(masked.user?.updatedAt && timestampDate(masked.user.updatedAt).getTime()).toBe(clock.now());
    const filled = await shop.users.updateUser({ user: { id: 1n, email: "lovelace@example.com" } });
    expect(filled.user).toMatchObject({ name: "Countess", email: "lovelace@example.com", version: 3 });
    const same = await shop.users.updateUser({ user: { id: 1n, name: "Countess" } });
    expect(same.user).toEqual(filled.user);
  });

  test("an update of what does not exist or may not be empty is refused by name", async () => {
    await using shop = await open();
    await shop.users.createUser(ada);
    const update = (path: string) => shop.users.updateUser({ user: { id: 1n }, updateMask: mask(path) });
    await expectError(update("nmae"), { code: Code.InvalidArgument, fields: ["update_mask"], message: /nmae/ });
    await expectError(update("name"), { code: Code.InvalidArgument, fields: ["user.name"] });
    await expectError(shop.users.updateUser({ user: {} }), { code: Code.InvalidArgument, fields: ["user.id"] });
  });

  test("a mask may name what is not the caller's to change, to no effect", async () => {
    await using shop = await open();
    const { user } = await shop.users.createUser(ada);
    const updateMask = mask("id", "version", "created_at", "updated_at");
    expect((await shop.users.updateUser({ user: { id: 1n, version: 1 }, updateMask })).user).toEqual(user);
  });

  test("an update that builds on an old version is ABORTED", async () => {
    await using shop = await open();
    await shop.users.createUser(ada);
    await shop.users.updateUser({ user: { id: 1n, name: "Countess", version: 1 } });
    const stale = shop.users.updateUser({ user: { id: 1n, name: "Lady", version: 1 } });
    await expectError(stale, { code: Code.Aborted, reason: "VERSION_CONFLICT", message: /version 2, not 1/ });
  });

  test("v2 of the contract is about the same users: what v1 makes, it finds by email, and it keeps to etags", async () => {
    await using shop = await open();
    const [store = expect.fail()] = shop.stores;
    const v2 = clientOf(UserServiceV2, userServiceV2({ store, publish, clock }));
    const { user } = await shop.users.createUser(ada);
    const { users, nextPageToken } = await v2.listUsers({ email: "ADA@Example.com", pageSize: 1 });
    expect(nextPageToken).toBe("");
    expect(users).toMatchObject([{ id: 1n, displayName: ada.name, email: ada.email, etag: "1" }]);
    expect(users[0]?.createTime).toEqual(user?.createdAt);
    expect((await v2.listUsers({ email: "nobody@example.com" })).users).toEqual([]);
    const change = { user: { id: 1n, etag: "1", displayName: "Countess" }, updateMask: mask("display_name") };
    expect((await v2.updateUser(change)).user).toMatchObject({ displayName: "Countess", email: ada.email, etag: "2" });
    await expectError(v2.updateUser(change), { code: Code.Aborted, reason: "VERSION_CONFLICT" });
    await expectError(v2.deleteUser({ id: 1n, etag: "1" }), { code: Code.Aborted, reason: "VERSION_CONFLICT" });
    expect((await shop.users.getUser({ id: 1n })).user).toMatchObject({ name: "Countess", version: 2 });
    await v2.deleteUser({ id: 1n, etag: "2" });
    await expectError(shop.users.getUser({ id: 1n }), { code: Code.NotFound, reason: "USER_NOT_FOUND" });
  });

  test("a user deleted is gone, and its id is not given again", async () => {
    await using shop = await open();
    await shop.users.createUser(ada);
    await shop.users.deleteUser({ id: 1n });
    await expectError(shop.users.getUser({ id: 1n }), { code: Code.NotFound });
    expect((await shop.users.createUser(ada)).user?.id).toBe(2n);
  });

  test("a deletion, a change or a creation that is made again gets the first answer, though much has changed since", async () => {
    await using shop = await open();
    const [create, change, remove] = [
      { ...ada, requestId: "r-1" },
      { user: { id: 1n, name: "Countess", version: 1 }, requestId: "r-2" },
      { id: 1n, requestId: "r-3" },
    ];
    const created = await shop.users.createUser(create);
    const changed = await shop.users.updateUser(change);
    await shop.users.updateUser({ user: { id: 1n, name: "Lady" } });
    expect(await shop.users.updateUser(change)).toEqual(changed);
    expect((await shop.users.getUser({ id: 1n })).user).toMatchObject({ name: "Lady", version: 3 });
    await shop.users.deleteUser(remove);
    expect(await shop.users.deleteUser(remove)).toMatchObject({});
    expect(await shop.users.updateUser(change)).toEqual(changed);
    expect(await shop.users.createUser(create)).toEqual(created);
    expect((await shop.users.listUsers({})).users).toEqual([]);
    const [store = expect.fail()] = shop.stores;
    expect(await publishedOf(store, userEventRows, UserDeletedSchema)).toHaveLength(1);
  });

  test("v2 answers once, too, and takes no other version's request for its own", async () => {
    await using shop = await open();
    const [store = expect.fail()] = shop.stores;
    const v2 = clientOf(UserServiceV2, userServiceV2({ store, publish, clock }));
    const create = { displayName: ada.name, email: ada.email, requestId: "r-1" };
    const created = await v2.createUser(create);
    expect(await v2.createUser(create)).toEqual(created);
    const reused = { code: Code.InvalidArgument, reason: "REQUEST_ID_REUSED", message: /r-1 has been used for .*v2/ };
    await expectError(shop.users.createUser({ ...ada, requestId: "r-1" }), reused);
    const change = { user: { id: 1n, etag: "1", displayName: "Countess" }, updateMask: mask("display_name") };
    const changed = await v2.updateUser({ ...change, requestId: "r-2" });
    expect(await v2.updateUser({ ...change, requestId: "r-2" })).toEqual(changed);
    await v2.deleteUser({ id: 1n, etag: "2", requestId: "r-3" });
    await v2.deleteUser({ id: 1n, etag: "2", requestId: "r-3" });
    await expectError(v2.deleteUser({ id: 1n, requestId: "r-4" }), { code: Code.NotFound });
  });

  test("the same request creates once, and with other content it is refused", async () => {
    await using shop = await open();
    const request = { ...ada, requestId: "r-1" };
    const first = await shop.users.createUser(request);
    expect(await shop.users.createUser(request)).toEqual(first);
    const reused = { code: Code.InvalidArgument, reason: "REQUEST_ID_REUSED", fields: ["request_id"] };
    await expectError(shop.users.createUser({ ...request, name: "Eve" }), reused);
    expect((await shop.users.listUsers({})).users).toHaveLength(1);
  });

  test("a request that failed may be sent again", async () => {
    await using shop = await open();
    await shop.users.createUser(ada);
    const request = { name: "Eve", email: ada.email, requestId: "r-1" };
    await expectError(shop.users.createUser(request), { code: Code.AlreadyExists });
    await shop.users.deleteUser({ id: 1n });
    expect((await shop.users.createUser(request)).user).toMatchObject({ name: "Eve" });
  });

  test("the same request to two replicas at once creates once", async () => {
    await using shop = await open(2);
    const request = { ...ada, requestId: "r-1" };
    const turns = Array.from({ length: 20 }, (_, turn) => (turn % 2 === 0 ? shop.users : shop.second));
    const answers = await Promise.all(turns.map((replica) => replica.createUser(request)));
    expect(new Set(answers.map(({ user }) => user?.id)).size).toBe(1);
    expect((await shop.second.listUsers({})).users).toHaveLength(1);
  });

  test("two replicas create and change at once, and no lock shows", async () => {
    await using shop = await open(2);
    await shop.users.createUser(ada);
    const turns = Array.from({ length: 60 }, (_, turn) => turn);
    const replicaOf = (turn: number) => (turn % 2 === 0 ? shop.users : shop.second);
    await Promise.all(
      turns.flatMap((turn) => [
        replicaOf(turn).createUser({ name: `u${turn}`, email: `u${turn}@example.com` }),
        replicaOf(turn).updateUser({ user: { id: 1n, name: `Ada ${turn}` } }),
        replicaOf(turn + 1).getUser({ id: 1n }),
      ]),
    );
    expect((await shop.users.listUsers({ pageSize: 100 })).users).toHaveLength(61);
    expect((await shop.second.getUser({ id: 1n })).user?.version).toBe(61);
  });

  test("an order that is heard of is in the list of its user, and in nobody else's", async () => {
    await using shop = await openWithOrders();
    await shop.tell(shop.created, "o-1");
    expect((await shop.users.listUserOrders({ userId: 1n })).orders).toMatchObject([
      {
        orderId: "o-1",
        status: OrderStatus.PENDING,
        total: { currencyCode: "EUR", units: 19n, nanos: 980_000_000 },
        itemCount: 1,
        version: 1,
        createdAt: timestampFromMs(1_000),
        updatedAt: timestampFromMs(1_000),
      },
    ]);
    await shop.tell(shop.confirmed, "o-1");
    const [order = expect.fail()] = (await shop.users.listUserOrders({ userId: 1n })).orders;
    expect(order).toMatchObject({ status: OrderStatus.CONFIRMED, version: 2, updatedAt: timestampFromMs(2_000) });
    expect(await shop.list(2n)).toEqual([]);
  });

  test("events of an order that come late or twice do not take its list back", async () => {
    await using shop = await openWithOrders();
    for (const event of [shop.cancelled, shop.created, shop.confirmed, shop.cancelled]) await shop.tell(event, "o-1");
    expect(await shop.list()).toEqual(["o-1 CANCELLED"]);
  });

  test("a user's orders are listed newest first, page by page, each once", async () => {
    await using shop = await openWithOrders();
    for (const id of ["o-3", "o-1", "o-5", "o-2", "o-4"]) await shop.tell(shop.created, id);
    const first = await shop.users.listUserOrders({ userId: 1n, pageSize: 3 });
    expect(first.orders.map(({ orderId }) => orderId)).toEqual(["o-5", "o-4", "o-3"]);
    const next = { userId: 1n, pageToken: first.nextPageToken };
    const second = await shop.users.listUserOrders(next);
    expect(second.orders.map(({ orderId }) => orderId)).toEqual(["o-2", "o-1"]);
    expect(second.nextPageToken).toBe("");
    const garbage = { code: Code.InvalidArgument, fields: ["page_token"] };
    await expectError(shop.users.listUserOrders({ ...next, userId: 2n }), garbage);
  });

  test("orders of a user who is gone, or never was, are heard of to no harm, and their list is NOT_FOUND", async () => {
    await using shop = await openWithOrders();
    for (const userId of [3n, 77n]) {
      await shop.tell(shop.created, `o-${userId}`, userId);
      await expectError(shop.users.listUserOrders({ userId }), { code: Code.NotFound, reason: "USER_NOT_FOUND" });
    }
  });

  test("the list of orders can be emptied and heard of anew", async () => {
    await using shop = await openWithOrders();
    await shop.tell(shop.confirmed, "o-1");
    await shop.store.unit(async (em) => shop.clear?.(em));
    expect(await shop.list()).toEqual([]);
    await shop.tell(shop.created, "o-1");
    expect(await shop.list()).toEqual(["o-1 PENDING"]);
  });

  test("a user with pending orders is deleted by force only, in both versions of the contract", async () => {
    await using shop = await openWithOrders();
    const v2 = clientOf(UserServiceV2, userServiceV2({ store: shop.store, publish, clock }));
    const open = {
      code: Code.FailedPrecondition,
      reason: "USER_HAS_OPEN_ORDERS",
      message: /pending orders \(2\).*force/,
    };
    for (const [userId, users] of [
      [1n, shop.users],
      [2n, v2],
    ] as const) {
      await shop.tell(shop.created, `o-${userId}-1`, userId);
      await shop.tell(shop.created, `o-${userId}-2`, userId);
      await expectError(users.deleteUser({ id: userId }), open);
      expect((await shop.users.getUser({ id: userId })).user?.id).toBe(userId);
      await users.deleteUser({ id: userId, force: true });
      await expectError(shop.users.getUser({ id: userId }), { code: Code.NotFound });
    }
  });

  test("orders that are confirmed or cancelled are no obstacle to a user's deletion", async () => {
    await using shop = await openWithOrders();
    await shop.tell(shop.created, "o-1");
    await shop.tell(shop.confirmed, "o-1");
    await shop.tell(shop.cancelled, "o-2");
    await shop.users.deleteUser({ id: 1n });
    await expectError(shop.users.getUser({ id: 1n }), { code: Code.NotFound });
  });

  test("a deletion is told to others once, and one that fails not at all", async () => {
    await using shop = await openWithOrders();
    const told = async () => (await publishedOf(shop.store, userEventRows, UserDeletedSchema)).map(({ id }) => id);
    expect(await told()).toEqual([3n]);
    await shop.tell(shop.created, "o-1");
    await expectError(shop.users.deleteUser({ id: 1n }), { code: Code.FailedPrecondition });
    await expectError(shop.users.deleteUser({ id: 3n }), { code: Code.NotFound });
    expect(await told()).toEqual([3n]);
    await shop.users.deleteUser({ id: 1n, force: true });
    expect(await told()).toEqual([3n, 1n]);
  });

  test("any text comes back as it was, and U+0000 is refused", async () => {
    await using shop = await open();
    const name = `'; drop table users; -- \\ \\' "x" ? ?? $1 :id %s \n\r\t \u2028 😀 ${"é".repeat(9)}`;
    expect((await shop.users.createUser({ ...ada, name })).user?.name).toBe(name);
    expect((await shop.users.getUser({ id: 1n })).user?.name).toBe(name);
    const nul = shop.users.createUser({ name: "A\0da", email: "nul@example.com" });
    await expectError(nul, { code: Code.InvalidArgument, message: /U\+0000/ });
  });
}
