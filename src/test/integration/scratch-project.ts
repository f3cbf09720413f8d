import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { Program } from "../../testing/program.ts";

/** The folder of this project. */
export const projectRoot = join(import.meta.dirname, "../../..");

/** Builds the package, as `npm pack` does for its publisher. Resolves with the path of the tarball in `folder`. */
export async function pack(folder: string): Promise<string> {
  await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: projectRoot });
  const [tarball = "", ...more] = readdirSync(folder).filter((file) => file.endsWith(".tgz"));
  if (tarball === "" || more.length > 0) throw new Error(`npm pack left ${[tarball, ...more].join(", ") || "nothing"}`);
  return join(folder, tarball);
}

/** A folder of somebody who uses the package: nothing of this project's packages is in reach. */
export class ScratchProject implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "heddle-package-"));

  /** Writes a file, with the folders above it. */
  write(path: string, content: string): void {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  /** Types a line in a shell. Resolves with what it printed; fails with all of it when the line fails. */
  type(line: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    return run("sh", ["-c", line], { cwd: this.folder, env });
  }

  /** Starts a program of this folder: of its own, or of a package in it. */
  start(file: string, args: readonly string[], env: Readonly<Record<string, string>>): Program {
    const fromSource = relative(join(projectRoot, "src"), join(this.folder, file));
    const home = { HEDDLE_DATA: join(this.folder, ".heddle/data"), ...env };
    return new Program({ name: [file, ...args].join(" "), file: fromSource, args, env: home });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function run(file: string, args: readonly string[], { cwd, env }: RunOptions): Promise<string> {
  const options = { cwd, env: { ...shellEnvironment(), ...env }, timeout: 180_000, killSignal: "SIGKILL" } as const;
  const { stdout } = await promisify(execFile)(file, args, options).catch((reason: unknown) => {
    const { stdout: out = "", stderr = "" } = Object(reason) as { stdout?: string; stderr?: string };
    throw new Error(`${[file, ...args].join(" ")} failed:\n${out}${stderr}`, { cause: reason });
  });
  return stdout;
}

/** The developer's own shell on this Node: their registry and proxies, nothing of the run that tests are a part of. */
function shellEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(HEDDLE_|MAKE|MFLAGS|VITEST|NODE_ENV$|NODE_OPTIONS$|npm_(package|lifecycle|config_local_prefix))/;
  const kept = Object.entries(process.env).filter(([name]) => !ours.test(name));
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.startsWith(projectRoot));
  return { ...Object.fromEntries(kept), PATH: [dirname(process.execPath), ...path].join(delimiter) };
}
