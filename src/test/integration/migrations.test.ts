import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { userRequests, userRows } from "../../services/user/user-entity.ts";
import { userRepository } from "../../services/user/user-repository.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { openStore, type Store, type StoreOptions } from "../../store/orm.ts";
import { openDatabase, type TestDatabase } from "../../testing/open-database.ts";

const opener = join(import.meta.dirname, "store-opener.ts");

/** The release to come: a column more, which the one of today knows nothing of. */
const addPhone = `import { Migration } from "@mikro-orm/migrations";
export class Migration20990101000000_Phone extends Migration {
  override name = "Migration20990101000000_Phone";
  override up(): void {
    this.addSql("alter table users add column phone varchar(20) null");
  }
}`;

/** The same file where there are no packages around it. */
const outOfPlace = (text: string) =>
  text.replace('"@mikro-orm/migrations"', JSON.stringify(import.meta.resolve("@mikro-orm/migrations")));

/** What two releases of the user service open: the one with its first migration alone, the other with all and one more. */
async function releasesOf(kind: DatabaseKind, folder: string, database: TestDatabase) {
  const users = { ...userRows, ...database };
  const [before, after] = [join(folder, "before"), join(folder, "after")];
  for (const release of [before, after]) {
    await cp(userRows.migrationsDir, release, { recursive: true });
    for (const file of await readdir(join(release, kind))) {
      const path = join(release, kind, file);
      if (release === before && !file.endsWith("_Init.ts")) await rm(path);
      else await writeFile(path, outOfPlace(await readFile(path, "utf8")));
    }
  }
  await writeFile(join(after, kind, "Migration20990101000000_Phone.ts"), outOfPlace(addPhone));
  const [user] = userRows.entities;
  if (user === undefined) throw new Error("the user service keeps no users");
  const old: StoreOptions = { ...users, entities: [user, userRequests], migrationsDir: before };
  return { old, new: { ...users, migrationsDir: after } satisfies StoreOptions };
}

/** Adds and changes users until it is told to end; answers with how many there are from it. */
function work(store: Store, name: string) {
  let isOver = false;
  const done = (async () => {
    let count = 0;
    for (; !isOver; count++) {
      const { id } = await store.unit((em) => userRepository(em).add({ name, email: `${name}-${count}@x.org` }, 0));
      await store.unit(async (em) => {
        const users = userRepository(em);
        await users.change(await users.getForChange(id, 0), { name: `${name} changed` }, 1);
      });
      expect((await store.read((em) => userRepository(em).get(id))).name).toBe(`${name} changed`);
    }
    return count;
  })();
  return {
    end() {
      isOver = true;
      return done;
    },
  };
}

const emailsIn = async (store: Store) =>
  (await store.read((em) => userRepository(em).list({ limit: 100_000, after: undefined }))).map(({ email }) => email);

describe.each(["sqlite", "postgres"] as const)("on %s", (kind) => {
  test("eight processes start at the same moment: each migration runs once, and all of them serve", async () => {
    await using database = await openDatabase(kind);
    const args = [opener, database.databaseUrl, database.dataDir, String(Date.now() + 1_500)];
    const starts = Array.from({ length: 8 }, () => promisify(execFile)(process.execPath, args));
    const ran = (await Promise.all(starts)).flatMap(({ stdout }) => JSON.parse(stdout) as string[]);
    const files = await readdir(join(userRows.migrationsDir, kind));
    const all = files.filter((file) => file.endsWith(".ts")).map((file) => file.replace(/\.ts$/, ""));
    expect(ran.sort()).toEqual(all.sort());
  });

  test("a rolling update: the release before works on while the next one migrates, beside it, and when it is started again", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-releases-"));
    await using database = await openDatabase(kind);
    const releases = await releasesOf(kind, folder, database);
    await using before = await openStore(releases.old);
    const old = work(before, "old");
    await using after = await openStore(releases.new);
    const next = work(after, "next");
    await after.unit((em) => em.execute("update users set phone = '110' where name like 'old%'"));
    {
      await using again = await openStore(releases.old); // the old release once more, over the new schema
      const third = work(again, "again");
      expect(await third.end()).toBe(1);
    }
    const [byOld, byNext] = [await old.end(), await next.end()];
    expect(byOld).toBeGreaterThan(0);
    expect(byNext).toBeGreaterThan(0);
    const emails = await emailsIn(before);
    expect(emails).toHaveLength(byOld + byNext + 1);
    expect(await emailsIn(after)).toEqual(emails);
    await rm(folder, { recursive: true, force: true });
  });
});
