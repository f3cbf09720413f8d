import { Code } from "@connectrpc/connect";
import { LockMode } from "@mikro-orm/core";
import { expect, test } from "vitest";
import { User, userRows } from "../../services/user/user-entity.ts";
import { userRepository } from "../../services/user/user-repository.ts";
import { openStore, type Store } from "../../store/orm.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { storeSuite } from "../suites/store-suite.ts";

storeSuite("postgres");

const names = ["ada", "eve"];

/** Creates ada (1) and eve (2). */
async function addUsers(store: Store): Promise<void> {
  for (const name of names) await store.unit((em) => userRepository(em).add({ name, email: `${name}@example.com` }, 0));
}

test("units that lock each other out are run again, and both are written", async () => {
  await using database = await openDatabase("postgres");
  await using store = await openStore({ ...userRows, ...database });
  await addUsers(store);
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let runs = 0;
  const lockBoth = (ids: readonly bigint[], mine: PromiseWithResolvers<void>, other: PromiseWithResolvers<void>) =>
    store.unit(async (em) => {
      runs++;
      for (const id of ids) {
        const user = await em.findOneOrFail(User, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
        user.name += "!";
        await em.flush();
        mine.resolve();
        await other.promise; // so that each holds one row before it asks for the other
      }
    });
  await Promise.all([lockBoth([1n, 2n], first, second), lockBoth([2n, 1n], second, first)]);
  expect(runs).toBe(3);
  const users = await store.read((em) => userRepository(em).list({ limit: 2, after: undefined }));
  expect(users.map(({ name }) => name)).toEqual(["ada!!", "eve!!"]);
});

test("connections that the server closes are UNAVAILABLE, and the next units find others, however many were lost", async () => {
  await using database = await openDatabase("postgres");
  await using store = await openStore({ ...userRows, ...database });
  for (let lost = 0; lost < 15; lost++) {
    const cutOff = store.unit((em) => em.execute("select pg_terminate_backend(pg_backend_pid())"));
    await expect(cutOff).rejects.toMatchObject({ code: Code.Unavailable });
  }
  await addUsers(store);
  await expect(store.ping()).resolves.toBeUndefined();
});

test("a row that stays locked is UNAVAILABLE after the wait", async () => {
  await using database = await openDatabase("postgres");
  await using store = await openStore({ ...userRows, ...database });
  await addUsers(store);
  const [held, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holding = store.unit(async (em) => {
    await userRepository(em).getForChange(1n, 0);
    held.resolve();
    await done.promise;
  });
  await held.promise;
  const waiting = store.unit(async (em) => {
    await em.execute("set local lock_timeout = 50"); // what is configured is five seconds
    await userRepository(em).getForChange(1n, 0);
  });
  await expect(waiting).rejects.toMatchObject({ code: Code.Unavailable });
  done.resolve();
  await holding;
});

test("a server that refuses the user is named with what to do", async () => {
  await using database = await openDatabase("postgres");
  const url = new URL(database.databaseUrl);
  url.username = "nobody_here";
  url.password = "secret";
  const refused = openStore({ ...userRows, dataDir: "", databaseUrl: url.href });
  const named = /^DATABASE_URL=postgres:\/\/nobody_here:\*\*\*@.* cannot be used; start that server and make sure user/;
  await expect(refused).rejects.toThrow(named);
});
