import { spawn } from "node:child_process";
import type { ToolResult } from "./tools.ts";

/** Runs a program that is found on PATH, with `input` if it reads any; rejects if there is none. */
export function run(file: string, args: readonly string[], input = ""): Promise<ToolResult> {
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], timeout: 60_000 });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
  child.stdin.on("error", () => {}); // it may end without reading
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout: out.join(""), stderr: err.join("") }));
  });
}
