import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Where the project begins. */
export const root = join(import.meta.dirname, "../../..");

/** Runs a tool from `.tools/` to its end and gives what it wrote, on either stream. Its exit status is for the caller to know from that. */
export function runTool(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const file = join(root, ".tools", name);
  if (!existsSync(file))
    throw new Error(`${file} is missing: \`make conformance\` builds it, or \`make .tools/${name}\``);
  const child = spawn(file, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const killed = () => void child.kill("SIGKILL"); // it does not outlive us
  process.once("exit", killed);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      process.off("exit", killed);
      resolve(output);
    });
  });
}
