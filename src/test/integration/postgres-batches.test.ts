import type { SqlEntityManager } from "@mikro-orm/sql";
import { expect, test } from "vitest";
import { userRows } from "../../services/user/user-entity.ts";
import { openStore, type Store } from "../../store/orm.ts";
import { query, queryLater } from "../../store/query.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { openCuttingProxy } from "./cutting-proxy.ts";

const insert = "insert into notes (id, text) values (?, ?)";
const insertLater = (em: SqlEntityManager, id: number, text = "") => queryLater(em, insert, [id, text]);
const count = async (em: SqlEntityManager) =>
  Number((await query<{ n: string }>(em, "select count(*) as n from notes")).rows[0]?.n);
const counted = (store: Store) => store.read(count);

/** A store with a table of notes; `sent` tells how often it has sent something. */
async function open(options: { readonly databasePool?: number } = {}) {
  const opened = new AsyncDisposableStack();
  const { databaseUrl, dataDir } = opened.use(await openDatabase("postgres"));
  const url = new URL(databaseUrl);
  const proxy = opened.use(await openCuttingProxy(Number(url.port)));
  url.port = String(proxy.port);
  const openOne = async () => opened.use(await openStore({ ...userRows, dataDir, databaseUrl: url.href, ...options }));
  const store = await openOne();
  await store.unit((em) => em.execute("create table notes (id integer primary key, text text not null)"));
  return { store, openOne, proxy, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

test("statements that nobody waits for travel with the commit, what begins the transaction with them", async () => {
  await using it = await open();
  await counted(it.store); // it has a connection
  const before = it.proxy.sent;
  await it.store.unit(async (em) => {
    for (let id = 0; id < 50; id++) await insertLater(em, id);
  });
  expect(it.proxy.sent - before).toBe(1);
  expect(await counted(it.store)).toBe(50);
});

test("statements that are asked side by side travel together, and each gets its own answer", async () => {
  await using it = await open();
  await counted(it.store);
  const before = it.proxy.sent;
  const answers = await it.store.unit(async (em) => {
    await insertLater(em, 1, "one");
    const same = "select text from notes where id = ?";
    return Promise.all([
      query(em, same, [1]),
      query(em, insert, [2, "two"]),
      query(em, same, [2]),
      query(em, same, [3]),
      query(em, "select 1 as n, null as nothing, ?::timestamptz as at, ?::bytea as bytes", [
        new Date(0),
        Buffer.of(0, 255),
      ]),
    ]);
  });
  expect(it.proxy.sent - before).toBe(2); // and the commit
  expect(answers.map(({ rows }) => rows)).toMatchObject([
    [{ text: "one" }],
    [],
    [{ text: "two" }],
    [],
    [{ n: 1, nothing: null, bytes: Buffer.of(0, 255) }],
  ]);
  expect(answers[1].affected).toBe(1);
});

test("what fails later fails the unit by its own error, and nothing of it is written", async () => {
  await using it = await open();
  const twice = it.store.unit(async (em) => {
    await insertLater(em, 1);
    await insertLater(em, 1);
  });
  await expect(twice).rejects.toMatchObject({ code: "23505" });
  const many = it.store.unit(async (em) => {
    for (let id = 0; id < 1_000; id++) await insertLater(em, id % 150); // more than are kept back
    await new Promise((resolve) => setTimeout(resolve, 50));
    await insertLater(em, 2_000);
  });
  await expect(many).rejects.toMatchObject({ code: "23505" });
  const seen = it.store.unit(async (em) => {
    await insertLater(em, 1);
    await insertLater(em, 1);
    return count(em);
  });
  await expect(seen).rejects.toMatchObject({ code: "23505" });
  expect(await counted(it.store)).toBe(0);
});

test("of statements that travel together one that fails takes the others with it, and the connection is as good as new", async () => {
  await using it = await open({ databasePool: 2 });
  for (let turn = 0; turn < 5; turn++) {
    const unit = it.store.unit(async (em) => {
      const asked = [
        query(em, insert, [1, "a"]),
        query(em, "select nothing from nowhere"),
        query(em, insert, [2, "b"]),
      ];
      const ends = await Promise.allSettled(asked);
      expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
      throw new Error("undone");
    });
    await expect(unit).rejects.toThrow("undone");
    expect(await counted(it.store)).toBe(0);
  }
});

test("what is asked while something is under way waits for it, in its order, whoever asks", async () => {
  await using it = await open();
  const seen = await it.store.unit(async (em) => {
    const [, , found] = await Promise.all([
      query(em, "select pg_sleep(0.1) from (select ?::text) as t", [""]),
      em.execute("insert into notes values (1, 'by the entity manager')"),
      count(em),
    ]);
    await insertLater(em, 2);
    const rows = await em.execute("select id from notes order by id"); // what is kept back goes first
    return [found, rows];
  });
  expect(seen[1]).toEqual([{ id: 1 }, { id: 2 }]);
  expect(await counted(it.store)).toBe(2);
});

test("a table that is changed under what was prepared is asked anew, in units and outside of them", async () => {
  await using it = await open({ databasePool: 3 });
  const all = (em: SqlEntityManager) => query(em, "select * from notes where id < ?", [10]);
  const other = await it.openOne();
  await it.store.unit((em) => query(em, insert, [1, "a"]));
  for (const column of ["colour", "size"]) {
    for (let turn = 0; turn < 4; turn++) {
      await Promise.all([it.store.read(all), it.store.read(all), it.store.unit(all)]);
    }
    await other.unit((em) => em.execute(`alter table notes add column ${column} text`));
    const found = await Promise.all([it.store.unit(all), it.store.read(all), it.store.read(all)]);
    for (const { rows } of found) expect(rows).toMatchObject([{ id: 1, [column]: null }]);
  }
});

test("where a pooler forgets what was prepared, nothing is prepared any more, and nobody notices", async () => {
  await using it = await open({ databasePool: 2 });
  const one = (em: SqlEntityManager) => query(em, "select text from notes where id = ?", [1]);
  for (let turn = 0; turn < 4; turn++) await it.store.unit(one);
  await it.store
    .unit(async (em) => {
      await em.execute("deallocate all");
      await expect(one(em)).rejects.toMatchObject({ code: "26000" });
      throw new Error("undone");
    })
    .catch(() => {});
  await it.store.unit(one);
  const [known] = await it.store.unit(async (em) => {
    await one(em);
    return em.execute<{ n: number }[]>("select count(*)::int as n from pg_prepared_statements");
  });
  expect(known?.n).toBe(0);
});

test("outside of a transaction there is no later: it is asked at once", async () => {
  await using it = await open();
  await it.store.read((em) => insertLater(em, 1));
  expect(await counted(it.store)).toBe(1);
});
