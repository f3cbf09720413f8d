/** Fails when the checked-in gen/ is not what proto/ and src/rest/openapi/ give: generates into a folder of its own and compares. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ours = ["gen/heddle", "gen/shop", "gen/openapi.json"];
/** What gen/ is made from: while one of these differs from the last commit, so may gen/. */
const sources = ["proto", "src/rest", "buf.yaml", "buf.gen.yaml", "package-lock.json", "scripts/describe.ts"];

/** Whether the command found nothing wrong; it prints what it finds. */
function quiet(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: "inherit" }).status === 0;
}

/** The paths under `paths` that differ from the last commit. */
function uncommitted(paths: readonly string[]): string {
  return spawnSync("git", ["status", "--porcelain", "--", ...paths], { encoding: "utf8" }).stdout.trimEnd();
}

function generatedDiffers(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "heddle-gen-"));
  try {
    if (!quiet("buf", "generate", "-o", folder)) return true;
    if (!quiet("node", "scripts/describe.ts", join(folder, "gen"))) return true;
    return !ours.map((path) => quiet("diff", "-rq", path, join(folder, path))).every(Boolean);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (generatedDiffers()) {
  console.error("gen/ is stale: make generate, and commit it with proto/");
  process.exitCode = 1;
} else if (uncommitted(sources) === "" && uncommitted(ours) !== "") {
  // `make generate` has just mended in the work tree what the commit has wrong.
  console.error(`${uncommitted(ours)}\ngen/ was committed stale: commit it as it is now`);
  process.exitCode = 1;
}
