import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { userRows } from "../../services/user/user-entity.ts";
import { userRepository } from "../../services/user/user-repository.ts";
import { openStore } from "../../store/orm.ts";
import { openDatabase } from "../../testing/open-database.ts";

const writer = join(import.meta.dirname, "sqlite-writer.ts");

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
