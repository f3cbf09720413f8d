import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ToolResult } from "../tools.ts";
import type { Certificate } from "./places.ts";

/** Runs a program to its end, with `input` if it reads any; rejects if there is no such program. */
export function run(
  [file, ...args]: readonly [string, ...string[]],
  { input = "", env = {} }: { readonly input?: string | Uint8Array; readonly env?: Record<string, string> } = {},
): Promise<ToolResult> {
  const child = spawn(file, args, {
    stdio: ["pipe", "pipe", "pipe"],
    timeout: 60_000,
    env: { ...process.env, ...env },
  });
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

/**
 * The peers that are programs: each takes "serve", prints where it listens and ends with its input, or "call" and an
 * address, does what a client can do and prints what it saw as JSON. Without them tests fail rather than pass unrun.
 */
export const programs = {
  "the C core": () => [needed("HEDDLE_TEST_PYTHON"), join(import.meta.dirname, "python/main.py")] as const,
  "grpc-go": () => [needed("HEDDLE_TEST_GO_PEER")] as const,
};

/** Starts such a program as a server, over TLS with a certificate; the one in Go serves plain bodies at a second address. */
export async function openProgram(
  program: () => readonly [string, ...string[]],
  tls?: Certificate,
): Promise<AsyncDisposable & { readonly address: string; readonly bodiesAddress: string }> {
  const [file, ...args] = program();
  const env = { ...process.env, ...(tls && { PEERS_KEY: tls.key, PEERS_CERT: tls.cert }) };
  const child = spawn(file, [...args, "serve"], { stdio: ["pipe", "pipe", "inherit"], env });
  const [address = "", bodiesAddress = ""] = (await firstLine(child)).split(" ");
  return {
    address,
    bodiesAddress,
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
      if (child.exitCode === null) await ended;
      clearTimeout(timer);
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("a peer was started without an output");
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error(`${child.spawnfile} ended before it listened`);
}

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this by \`make test-integration\`, which makes what it names`);
  return value;
}
