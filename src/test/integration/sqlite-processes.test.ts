import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { User, userRows } from "../../services/user/user-entity.ts";
import { userRepository } from "../../services/user/user-repository.ts";
import { openStore, type Store } from "../../store/orm.ts";
import { eventually } from "../../testing/eventually.ts";
import { openDatabase } from "../../testing/open-database.ts";

const writer = join(import.meta.dirname, "sqlite-writer.ts");
const reader = join(import.meta.dirname, "sqlite-reader.ts");
const run = promisify(execFile);

const countOf = async (store: Store, name: string) =>
  (await store.read((em) => em.find(User, { email: { $like: `${name}-%` } }))).length;

test("three processes start, migrate and write one SQLite file together, and nothing is refused or lost", async () => {
  await using database = await openDatabase("sqlite");
  const start = (name: string) => promisify(execFile)(process.execPath, [writer, database.dataDir, name, "200"]);
  await using store = await openStore({ ...userRows, ...database });
  await store.unit((em) => userRepository(em).add({ name: "common", email: "common@example.com" }, 0));
  await Promise.all(["a", "b", "c"].map(start));
  const users = await store.read((em) => userRepository(em).list({ limit: 1_000, after: undefined }));
  expect(users).toHaveLength(601);
  expect(users[0]?.version).toBe(601);
});

test("four processes write one file while two take long looks at it and one dies by SIGKILL amid its writes: no lock shows, nothing is lost", async () => {
  await using database = await openDatabase("sqlite");
  await using store = await openStore({ ...userRows, ...database });
  await store.unit((em) => userRepository(em).add({ name: "common", email: "common@example.com" }, 0));
  const until = String(Date.now() + 4_000);
  const looks = [1, 2].map(() => run(process.execPath, [reader, join(database.dataDir, "user.db"), until]));
  const writes = ["a", "b", "c"].map((name) => run(process.execPath, [writer, database.dataDir, name, "150"]));
  const doomed = run(process.execPath, [writer, database.dataDir, "killed", "100000"]);
  const isKilled = expect(doomed).rejects.toMatchObject({ signal: "SIGKILL" });
  await eventually("the doomed one writes", async () => (await countOf(store, "killed")) > 5, { withinMs: 60_000 });
  doomed.child.kill("SIGKILL");
  await Promise.all([...writes, ...looks, isKilled]);
  expect(await Promise.all(["a", "b", "c"].map((name) => countOf(store, name)))).toEqual([150, 150, 150]);
});
