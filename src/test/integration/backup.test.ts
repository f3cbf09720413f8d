import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Program } from "../../testing/program.ts";
import { heddle, scratchFolder } from "./backup-parts.ts";

/** A folder of data in which two services have some rows, and one of backups. */
function openHome() {
  const [dataDir, to] = [scratchFolder(), scratchFolder()];
  for (const name of ["user", "order"]) {
    using db = new DatabaseSync(join(dataDir, `${name}.db`));
    db.exec("pragma journal_mode = wal; create table things (content blob)");
    db.exec(
      "with recursive n(n) as (select 1 union all select n + 1 from n where n < 1000) insert into things select randomblob(1000) from n",
    );
  }
  return { dataDir, to, env: { HEDDLE_DATA: dataDir } };
}

test("of scheduled backups the newest are kept, and who looks after them is told how old the last one is", async () => {
  const { to, env } = openHome();
  const none = await heddle(["backup", "list", "--to", to, "--within", "1h"], env);
  expect(none).toMatchObject({ status: 1, out: expect.stringContaining("no backup") });
  const file = "cli/main.ts";
  const args = ["backup", "--every", "1s", "--keep", "2", "--to", to];
  await using program = new Program({ name: "backup", file, args, env });
  await expect.poll(() => program.output, { timeout: 60_000 }).toMatch(/removed .*removed /s);
  await program.end("SIGTERM");
  expect(readdirSync(to).filter((name) => !name.endsWith(".partial"))).toHaveLength(2);
  expect(await heddle(["backup", "list", "--to", to, "--within", "1h"], env)).toMatchObject({ status: 0 });
  expect(await heddle(["backup", "list", "--to", to, "--within", "1ms"], env)).toMatchObject({ status: 1 });
});

test("what a backup has left that was killed is no backup, and goes with the next one", async () => {
  const { to, env } = openHome();
  const partial = join(to, "2026-01-01T00-00-00Z.partial");
  mkdirSync(partial);
  writeFileSync(join(partial, "owner.json"), JSON.stringify({ pid: 2 ** 22 + 1, mark: "1" }));
  expect((await heddle(["backup", "list", "--to", to], env)).out).toContain("no backup");
  expect(await heddle(["backup", "--to", to], env)).toMatchObject({ status: 0 });
  expect(existsSync(partial)).toBe(false);
});

test("a disk that takes no more is told, leaves nothing half done, and spares what was there", async () => {
  const { to, env } = openHome();
  expect((await heddle(["backup", "--to", to], env)).status).toBe(0);
  const before = readdirSync(to);
  await sleep(1_000); // the next one has a name of its own
  const limited = `ulimit -f 100; exec "${process.execPath}" src/cli/main.ts backup --to "${to}"`;
  const run = await new Promise<{ out: string; failed: boolean }>((resolve) => {
    execFile("bash", ["-c", limited], { env: { ...process.env, ...env } }, (error, out) =>
      resolve({ out, failed: error !== null }),
    );
  });
  expect(run).toMatchObject({ failed: true, out: expect.stringMatching(/^failed: .*disk/) });
  expect(readdirSync(to)).toEqual(before);
  expect(await heddle(["backup", "verify", join(to, before[0] ?? "")], env)).toMatchObject({ status: 0 });
});

test("PostgreSQL's programs are named when they are missing", async () => {
  const { to, dataDir } = openHome();
  const url = process.env.HEDDLE_TEST_POSTGRES ?? "";
  const env = { HEDDLE_DATA: dataDir, USER_DATABASE_URL: url, PATH: dataDir };
  const run = await heddle(["backup", "--to", to], env);
  expect(run).toMatchObject({ status: 1, out: expect.stringMatching(/TOOL_MISSING: pg_dump is not in PATH: install/) });
  expect(readdirSync(to)).toEqual([]);
});

test("a database that is not there is said, with what to set", async () => {
  const { to } = openHome();
  const run = await heddle(["backup", "--to", to], { HEDDLE_DATA: join(to, "nothing") });
  expect(run).toMatchObject({ status: 1, out: expect.stringMatching(/NO_DATABASE: .*set HEDDLE_DATA/) });
  const audited = await heddle(["audit"], { HEDDLE_DATA: join(to, "nothing") });
  expect(audited).toMatchObject({ status: 1, out: expect.stringMatching(/cannot audit .*set HEDDLE_DATA/) });
});
