import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { userRows } from "../../services/user/user-entity.ts";
import { userRepository } from "../../services/user/user-repository.ts";
import { openStore, type Store } from "../../store/orm.ts";
import { eventually } from "../../testing/eventually.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { openPostgresServer } from "../../testing/open-postgres-server.ts";
import { type Cut, openCuttingProxy } from "./cutting-proxy.ts";
import { inCallOf, told } from "./told.ts";

const add = (store: Store, name: string) =>
  store.unit((em) => userRepository(em).add({ name, email: `${name}@example.com` }, 0));
const namesIn = async (store: Store) =>
  (await store.read((em) => userRepository(em).list({ limit: 100, after: undefined }))).map(({ name }) => name);

test("a server killed amid transactions, and started again: callers are told UNAVAILABLE, no half of one stays, and the pool heals", async () => {
  await using server = await openPostgresServer();
  await using database = await openDatabase("postgres", { postgresUrl: server.url });
  await using store = await openStore({ ...userRows, ...database, databasePool: 4 });
  await add(store, "before");
  const halfWay = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const killed = Promise.withResolvers<void>();
  const units = halfWay.map((reached, at) =>
    store.unit(async (em) => {
      await userRepository(em).add({ name: "half", email: `half-${at}@example.com` }, 0);
      reached.resolve();
      await killed.promise;
      await userRepository(em).add({ name: "other half", email: `other-${at}@example.com` }, 0);
    }),
  );
  const outcomes = Promise.all(units.map(told));
  await Promise.all(halfWay.map(({ promise }) => promise));
  await server.kill();
  killed.resolve();
  expect(new Set(await outcomes)).toEqual(new Set(["Unavailable DATABASE_UNAVAILABLE"]));
  expect(await told(store.ping())).toBe("Unavailable DATABASE_UNAVAILABLE");
  await server.start();
  await eventually("the store reaches the server", () => namesIn(store));
  await Promise.all(["a", "b", "c", "d", "e"].map((name) => add(store, name)));
  expect((await namesIn(store)).sort()).toEqual(["a", "b", "before", "c", "d", "e"]);
});

/** What the caller of a unit is told whose COMMIT breaks the connection, and whether it was written. */
async function commitCut(where: Cut): Promise<{ told: string; isWritten: boolean; runs: number }> {
  await using database = await openDatabase("postgres");
  const url = new URL(database.databaseUrl);
  await using proxy = await openCuttingProxy(Number(url.port));
  url.port = String(proxy.port);
  await using store = await openStore({ ...userRows, dataDir: "", databaseUrl: url.href });
  let runs = 0;
  const unit = store.unit(async (em) => {
    runs++;
    await userRepository(em).add({ name: "ada", email: "ada@example.com" }, 0);
    proxy.cut(where, "commit");
  });
  const outcome = await told(unit);
  proxy.cut("never", "");
  return { told: outcome, isWritten: (await namesIn(store)).length === 1, runs };
}

test("a connection lost between COMMIT and its answer: the outcome is told to be unknown, and the unit is not run again", async () => {
  const unknown = "Unavailable DATABASE_COMMIT_UNKNOWN";
  expect(await commitCut("after")).toEqual({ told: unknown, isWritten: true, runs: 1 });
  expect(await commitCut("before")).toEqual({ told: unknown, isWritten: false, runs: 1 });
});

test("a server that is silent costs a call no more than its deadline, and is used again when it speaks", async () => {
  await using server = await openPostgresServer();
  await using database = await openDatabase("postgres", { postgresUrl: server.url });
  await using store = await openStore({ ...userRows, ...database, databasePool: 2 });
  await add(store, "before");
  server.freeze();
  const outcomes = await Promise.all([
    told(inCallOf(300, () => store.ping())),
    told(inCallOf(300, () => add(store, "silent"))),
    told(inCallOf(300, () => store.ping())),
  ]);
  server.thaw();
  expect(new Set(outcomes)).toEqual(
    new Set(["DeadlineExceeded DEADLINE_EXCEEDED", "Unavailable DATABASE_POOL_EXHAUSTED"]),
  );
  await eventually("the store reaches the server", () => add(store, "after"));
  await sleep(100); // for what the server had in its ear while it slept
  expect(await namesIn(store)).toEqual(["before", "after"]);
});
