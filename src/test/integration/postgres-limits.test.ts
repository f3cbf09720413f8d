import { IsolationLevel } from "@mikro-orm/core";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { expect, test } from "vitest";
import { User, userRows } from "../../services/user/user-entity.ts";
import { userRepository } from "../../services/user/user-repository.ts";
import { openStore, type Store } from "../../store/orm.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { inCallOf, told } from "./told.ts";

const late = "DeadlineExceeded DEADLINE_EXCEEDED";
const sleepFor = (seconds: number) => (em: SqlEntityManager) => em.execute(`select pg_sleep(${seconds})`);
const add = (store: Store, name: string) =>
  store.unit((em) => userRepository(em).add({ name, email: `${name}@example.com` }, 0));

/** How many statements the server is busy with, the one that asks not counted. */
async function underWay(store: Store): Promise<number> {
  const [row] = await store.read((em) =>
    em.execute<{ busy: number }[]>(
      `select count(*)::int as busy from pg_stat_activity
       where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()`,
    ),
  );
  return row?.busy ?? -1;
}

test("a statement that runs past its call's deadline is cancelled at the server, and its connection is as good as new", async () => {
  await using database = await openDatabase("postgres");
  await using store = await openStore({ ...userRows, ...database, databasePool: 2 });
  for (let turn = 0; turn < 4; turn++) {
    expect(await told(inCallOf(200, () => store.read(sleepFor(20))))).toBe(late);
    const unit = async (em: SqlEntityManager) => {
      await userRepository(em).add({ name: "late", email: "late@example.com" }, 0);
      await sleepFor(20)(em);
    };
    expect(await told(inCallOf(200, () => store.unit(unit)))).toBe(late);
    expect(await underWay(store)).toBe(0);
  }
  await Promise.all(["ada", "eve"].map((name) => add(store, name)));
  expect(await store.read((em) => em.count(User))).toBe(2);
  expect(await told(store.read(sleepFor(0.5)))).toBe(""); // no limit of an earlier call is left behind
});

test("a unit's later statements have only what its earlier ones have left", async () => {
  await using database = await openDatabase("postgres");
  await using store = await openStore({ ...userRows, ...database });
  const limits: number[] = [];
  const unit = async (em: SqlEntityManager) => {
    for (const seconds of [0.6, 20]) {
      const limit = "extract(epoch from current_setting('statement_timeout')::interval)::float";
      limits.push((await em.execute<{ limit: number }[]>(`select ${limit} as limit`))[0]?.limit ?? 0);
      await sleepFor(seconds)(em);
    }
  };
  expect(await told(inCallOf(1_000, () => store.unit(unit)))).toBe(late);
  expect(limits).toHaveLength(2);
  expect(limits[0]).toBeLessThan(1);
  expect(limits[1]).toBeLessThan(0.4);
  expect(await underWay(store)).toBe(0);
});

test("a call whose deadline is over asks the database for nothing", async () => {
  await using database = await openDatabase("postgres");
  await using store = await openStore({ ...userRows, ...database });
  expect(await told(inCallOf(-1, () => add(store, "ada")))).toBe(late);
  expect(await store.read((em) => em.count(User))).toBe(0);
});

test("no more than DATABASE_POOL connections are opened; who finds none free in time is told so by the setting's name", async () => {
  await using database = await openDatabase("postgres");
  await using store = await openStore({ ...userRows, ...database, databasePool: 3 });
  const done = Promise.withResolvers<void>();
  const holding = Array.from({ length: 3 }, () => {
    const held = Promise.withResolvers<void>();
    const unit = store.unit(async (em) => {
      await em.execute("select 1");
      held.resolve();
      await done.promise;
    });
    return { held: held.promise, unit };
  });
  await Promise.all(holding.map(({ held }) => held));
  const refused = inCallOf(100, () => store.ping());
  await expect(refused).rejects.toThrow(/DATABASE_POOL/);
  expect(await told(inCallOf(100, () => add(store, "ada")))).toBe("Unavailable DATABASE_POOL_EXHAUSTED");
  const waiting = Array.from({ length: 20 }, (_, at) => add(store, `user-${at}`));
  done.resolve();
  await Promise.all([...holding.map(({ unit }) => unit), ...waiting]);
  const [row] = await store.read((em) =>
    em.execute<{ open: number }[]>(
      `select count(*)::int as open from pg_stat_activity where datname = current_database()`,
    ),
  );
  expect(row?.open).toBeLessThanOrEqual(3);
});

test("a unit that goes on after a failed statement is told that nothing was written", async () => {
  await using database = await openDatabase("postgres");
  await using store = await openStore({ ...userRows, ...database });
  const unit = store.unit(async (em) => {
    await userRepository(em).add({ name: "ada", email: "ada@example.com" }, 0);
    await em.execute("select * from nothing").catch(() => {}); // after which PostgreSQL answers COMMIT with ROLLBACK
  });
  expect(await told(unit)).toBe("Internal DATABASE_ROLLED_BACK");
  expect(await store.read((em) => em.count(User))).toBe(0);
});

test("units that read what each other writes are serializable if asked: each is run again until it fits, and none fails", async () => {
  await using database = await openDatabase("postgres");
  await using store = await openStore({ ...userRows, ...database });
  let runs = 0;
  const addCounted = (at: number) =>
    store.unit(
      async (em) => {
        runs++;
        const count = await em.count(User);
        await userRepository(em).add({ name: `number ${count}`, email: `user-${at}@example.com` }, 0);
      },
      { isolationLevel: IsolationLevel.SERIALIZABLE },
    );
  for (let turn = 0; turn < 8; turn++) await Promise.all([addCounted(2 * turn), addCounted(2 * turn + 1)]);
  const users = await store.read((em) => userRepository(em).list({ limit: 100, after: undefined }));
  const numbers = Array.from({ length: 16 }, (_, at) => `number ${at}`);
  expect(users.map(({ name }) => name).sort()).toEqual(numbers.sort()); // each saw all that were before it
  expect(runs).toBeGreaterThan(16);
});

test("a unit that always loses is run again only while its call has time", async () => {
  await using database = await openDatabase("postgres");
  await using store = await openStore({ ...userRows, ...database });
  let runs = 0;
  const losing = async (em: SqlEntityManager) => {
    runs++;
    await em.execute("do $$ begin raise exception using errcode = '40001', message = 'lost'; end $$");
  };
  expect(await told(store.unit(losing))).toBe("Unavailable DATABASE_BUSY");
  expect(runs).toBe(5);
  runs = 0;
  await told(
    inCallOf(300, () =>
      store.unit(async (em) => {
        await sleepFor(0.2)(em);
        await losing(em);
      }),
    ),
  );
  expect(runs).toBeLessThan(3);
});

test("a server that may only be read says so to who writes, and answers who reads", async () => {
  await using database = await openDatabase("postgres");
  const rows = { ...userRows, ...database };
  {
    await using store = await openStore(rows);
    await add(store, "ada");
    const name = new URL(database.databaseUrl).pathname.slice(1);
    await store.unit((em) => em.execute(`alter database ${name} set default_transaction_read_only = on`));
  }
  await using store = await openStore(rows);
  await expect(add(store, "eve")).rejects.toThrow(/default_transaction_read_only/);
  expect(await told(add(store, "eve"))).toBe("Unavailable DATABASE_READ_ONLY");
  expect(await store.read((em) => em.count(User))).toBe(1);
});

test("a server whose disk is full says so by name, writes nothing, and goes on when there is room", async () => {
  await using database = await openDatabase("postgres");
  await using store = await openStore({ ...userRows, ...database });
  await store.unit(async (em) => {
    await em.execute(`create function full_disk() returns trigger language plpgsql as $$
      begin raise exception using errcode = '53100', message = 'could not extend file: No space left on device'; end $$`);
    await em.execute("create trigger full_disk after insert on users for each row execute function full_disk()");
  });
  expect(await told(add(store, "ada"))).toBe("ResourceExhausted DATABASE_FULL");
  await store.unit((em) => em.execute("drop trigger full_disk on users"));
  await add(store, "ada");
  expect(await store.read((em) => em.count(User))).toBe(1);
});
