import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

/** What a run of the command line came to. */
export interface CliRun {
  readonly status: number;
  readonly out: string;
}

/** Runs `heddle` as people do: a process of its own. */
export async function heddle(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> {
  const home = mkdtempSync(join(tmpdir(), "heddle-home-"));
  try {
    const all = { ...process.env, HEDDLE_HOME: home, ...env };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["src/cli/main.ts", ...args], { env: all });
    return { status: 0, out: stdout + stderr };
  } catch (reason) {
    const { code, stdout, stderr } = Object(reason);
    if (typeof code !== "number") throw reason;
    return { status: code, out: `${stdout}${stderr}` };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** A folder that ends with the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "heddle-backups-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
