/**
 * Fails when proto/ breaks the contracts that landed last on main.
 *
 * On a branch that is the commit it left main at. A checkout of main itself, as in a fresh clone, is compared with the
 * commit before it, so that every commit on main keeps what the one before promised. BASE=<commit> names another.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const modules = ["buf.yaml", "proto"];

/** What git answers, or `undefined` when it has no such thing. */
function git(...args: string[]): string | undefined {
  const { status, stdout } = spawnSync("git", args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

const commit = (name: string) => git("rev-parse", "--verify", "--quiet", `${name}^{commit}`);

/** The commit to compare with, or `undefined` when nothing has landed before this one. */
function landed(): string | undefined {
  if (process.env.BASE) return commit(process.env.BASE) ?? fail(`there is no commit ${process.env.BASE}`);
  const head = commit("HEAD") ?? fail("not a git checkout: clone the project, or name a commit by BASE=");
  const main = commit("origin/main") ?? commit("main");
  if (main === undefined)
    return fail("neither origin/main nor main is here: git fetch origin main, or name a commit by BASE=");
  const base = git("merge-base", head, main) ?? fail("HEAD and main have no common commit: name one by BASE=");
  if (base !== head) return base;
  if (git("rev-parse", "--is-shallow-repository") === "true") return fail("a shallow clone: git fetch --unshallow");
  return commit(`${head}^1`);
}

function fail(message: string): never {
  console.error(`nothing to compare the contracts with: ${message}`);
  process.exit(1);
}

function compare(base: string): number {
  const folder = mkdtempSync(join(tmpdir(), "heddle-breaking-"));
  try {
    const tar = execFileSync("git", ["archive", base, ...modules]);
    execFileSync("tar", ["-x", "-C", folder], { input: tar });
    cpSync("third_party", join(folder, "third_party"), { recursive: true });
    return spawnSync("buf", ["breaking", "--against", folder], { stdio: "inherit" }).status ?? 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const base = landed();
if (base === undefined || git("cat-file", "-e", `${base}:proto`) === undefined) {
  console.log("no contracts have landed before these: nothing to compare with");
} else {
  console.log(`compared with ${git("log", "-1", "--format=%h %s", base)}`);
  process.exitCode = compare(base);
}
