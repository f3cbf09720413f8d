import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { expect, test } from "vitest";
import {
  CreateUserRequestSchema,
  type CreateUserResponseSchema,
  UserService,
} from "../../../gen/shop/user/v1/user_pb.ts";
import { notFound } from "../../call/errors.ts";
import { userRequests, userRows } from "../../services/user/user-entity.ts";
import { userRepository } from "../../services/user/user-repository.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { openStore, type Store } from "../../store/orm.ts";
import { RequestAnswers } from "../../store/request-answers.ts";
import { keepAnswer, namedRequest } from "../../store/request-ids.ts";
import { eventually } from "../../testing/eventually.ts";
import { type FakeClock, fakeClock } from "../../testing/fake-clock.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { expectError } from "./errors.ts";

const method = UserService.method.createUser;
const weekMs = 7 * 24 * 3_600_000;
type Answer = MessageInitShape<typeof CreateUserResponseSchema>;

const ask = (requestId: string, name = "Ada") =>
  create(CreateUserRequestSchema, { name, email: "ada@example.com", requestId });

/** What it is to answer mutating calls once, whatever the database. */
export function requestAnswersSuite(kind: DatabaseKind): void {
  /** Two replicas that keep answers in one database, and what they have been made to do. */
  const open = async () => {
    const database = await openDatabase(kind);
    const clock = fakeClock();
    const stores = await Promise.all([1, 2].map(() => openStore({ ...userRows, ...database })));
    const [first = expect.fail(), second = expect.fail()] = stores;
    const replica = (store: Store) => new RequestAnswers({ store, rows: userRequests, clock });
    return {
      clock,
      store: first,
      first: replica(first),
      second: replica(second),
      ids: () => first.read(async (em) => (await em.find(userRequests, {})).map(({ requestId }) => requestId).sort()),
      async [Symbol.asyncDispose]() {
        for (const store of stores) await store[Symbol.asyncDispose]();
        await database[Symbol.asyncDispose]();
      },
    };
  };

  /** Adds a user to the database; the email is free for all. */
  const adding =
    (clock: FakeClock, email: string) =>
    async (em: SqlEntityManager): Promise<Answer> => {
      const { id, name } = await userRepository(em).add({ name: "Ada", email }, clock.wall());
      return { user: { id, name, email } };
    };

  test("a request without an id is always new, and nothing of it is kept", async () => {
    await using shop = await open();
    for (const email of ["a@b.cd", "c@d.ef"]) {
      await shop.first.once({ method, request: ask(""), work: adding(shop.clock, email) });
    }
    expect(await shop.store.read((em) => userRepository(em).list({ limit: 9, after: undefined }))).toHaveLength(2);
    expect(await shop.ids()).toEqual([]);
  });

  test("the same request again is answered with the bytes of the first answer", async () => {
    await using shop = await open();
    const first = await shop.first.once({ method, request: ask("r-1"), work: adding(shop.clock, "a@b.cd") });
    const work = () => Promise.resolve({ user: { name: "another" } });
    const again = await shop.second.once({ method, request: ask("r-1"), work });
    expect(toBinary(method.output, again)).toEqual(toBinary(method.output, first));
    expect(await shop.second.before({ method, request: ask("r-1") })).toEqual(first);
    expect(await shop.second.before({ method, request: ask("r-2") })).toBeUndefined();
  });

  test("of equal requests at once, one is committed, and all get its answer", async () => {
    await using shop = await open();
    const turns = Array.from({ length: 12 }, (_, turn) =>
      (turn % 2 === 0 ? shop.first : shop.second).once({
        method,
        request: ask("r-1"),
        work: adding(shop.clock, `user-${turn}@example.com`), // nothing but the id stands in their way
      }),
    );
    const answers = await Promise.all(turns);
    expect(new Set(answers.map(({ user }) => user?.id)).size).toBe(1);
    expect(await shop.store.read((em) => userRepository(em).list({ limit: 99, after: undefined }))).toHaveLength(1);
  });

  test("a request that is refused is not kept, and may be made again", async () => {
    await using shop = await open();
    const refuse = async () => {
      throw notFound("user", 1n, "shop.user.v1");
    };
    await expectError(shop.first.once({ method, request: ask("r-1"), work: refuse }), { code: Code.NotFound });
    expect(await shop.ids()).toEqual([]);
    const made = await shop.first.once({ method, request: ask("r-1"), work: adding(shop.clock, "a@b.cd") });
    expect(made.user?.id).toBe(1n);
  });

  test("the id with other content is refused by name, and what that would have changed is undone", async () => {
    await using shop = await open();
    await shop.first.once({ method, request: ask("r-1"), work: adding(shop.clock, "a@b.cd") });
    const other = shop.first.once({ method, request: ask("r-1", "Eve"), work: adding(shop.clock, "c@d.ef") });
    const reused = { code: Code.InvalidArgument, reason: "REQUEST_ID_REUSED", fields: ["request_id"] };
    await expectError(other, { ...reused, message: /r-1 has been used with other content/ });
    expect(await shop.store.read((em) => userRepository(em).list({ limit: 9, after: undefined }))).toHaveLength(1);
  });

  test("a row of a version that kept a key and no answer still answers, with the resource as it is", async () => {
    await using shop = await open();
    const { user } = await shop.first.once({ method, request: ask(""), work: adding(shop.clock, "a@b.cd") });
    const request = namedRequest(method, ask("r-1")) ?? expect.fail();
    await shop.store.unit(async (em) => {
      await keepAnswer(em, userRequests, { request, resource: String(user?.id), answer: null, now: 0 });
      await em.nativeUpdate(userRequests, { requestId: "r-1" }, { method: null });
    });
    const find = async (_: SqlEntityManager, key: string) => ({ user: { id: BigInt(key) } });
    const resource = { keyOf: () => "", find };
    const work = adding(shop.clock, "c@d.ef");
    expect((await shop.second.once({ method, request: ask("r-1"), work, resource })).user?.id).toBe(user?.id);
  });

  test("answers older than a week are removed, all of them in the end, and what is claimed for good stays", async () => {
    await using shop = await open();
    const old = Array.from({ length: 1_500 }, (_, at) => `old-${at}`);
    await shop.store.unit(async (em) => {
      const row = { method: "m", contentHash: "", resource: "", createdAt: new Date(shop.clock.wall()) };
      await em.insertMany(userRequests, [
        ...old.map((requestId) => ({ ...row, requestId, answer: Buffer.from("x") })),
        { ...row, requestId: "for good", answer: null },
      ]);
    });
    await shop.clock.advance(weekMs + 1_000);
    for (const [at, left] of [502, 3].entries()) {
      const work = adding(shop.clock, `${at}@example.com`);
      await shop.first.once({ method, request: ask(`new-${at}`), work });
      await eventually("old answers are removed", async () => (await shop.ids()).length === left);
    }
    expect(await shop.ids()).toEqual(["for good", "new-0", "new-1"]);
  });
}
