import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Database } from "../../store/database-url.ts";
import { BackupError } from "./backup-error.ts";

/** A PostgreSQL database. */
export type PostgresPlace = Extract<Database, { readonly kind: "postgres" }>;

/** What the programs of PostgreSQL inherit: PATH says where they are. */
export type ToolEnv = NodeJS.ProcessEnv;

/** A program under way. */
export interface Tool {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when it has ended well; else rejects with what it wrote to its standard error. */
  readonly ended: Promise<void>;
  kill(): void;
}

/**
 * Starts a program of PostgreSQL. The password goes by the environment, as everybody on a machine may read arguments.
 * The folder it runs in is the root: it inherits nothing that it could stumble over.
 */
export function startTool(name: string, args: readonly string[], env: ToolEnv, place?: PostgresPlace): Tool {
  const url = place && new URL(place.url);
  const password = decodeURIComponent(url?.password ?? "");
  if (url !== undefined) url.password = "";
  const all = url === undefined ? args : [...args, `--dbname=${url.href}`];
  const settings = { ...env, PGCONNECT_TIMEOUT: "10", ...(password !== "" && { PGPASSWORD: password }) };
  const child = spawn(name, all, { env: settings, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => {}); // it ended early: `ended` says why
  return { stdin: child.stdin, stdout: child.stdout, ended: endOf(child, name, place), kill: () => void child.kill() };
}

async function endOf(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  name: string,
  place: PostgresPlace | undefined,
): Promise<void> {
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4_000)));
  try {
    const [code] = (await once(child, "close")) as [number | null];
    if (code === 0) return;
  } catch (reason) {
    throw missing(name, reason);
  }
  const advice = /version mismatch/.test(said)
    ? "; install the client programs of the server's version or a later one"
    : "";
  throw new Error(`${name} failed${place ? ` on ${place.shown}` : ""}: ${said.trim() || "it was ended"}${advice}`);
}

function missing(name: string, reason: unknown): Error {
  if (Object(reason).code !== "ENOENT") return reason as Error;
  const advice =
    "install PostgreSQL's client programs (Debian: apt-get install postgresql-client), of the server's version or a later one";
  return new BackupError("TOOL_MISSING", `${name} is not in PATH: ${advice}`, { cause: reason });
}

/** Runs a program to its end; what it prints is nobody's. */
export async function runTool(
  name: string,
  args: readonly string[],
  env: ToolEnv,
  place?: PostgresPlace,
): Promise<void> {
  const tool = startTool(name, args, env, place);
  tool.stdin.end();
  tool.stdout.resume();
  await tool.ended;
}

/** The SQL of a dump, piece by piece, into `into`; rejects when pg_restore cannot read the dump to its end. */
export async function sqlOfDump(
  file: string,
  env: ToolEnv,
  into: (sql: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  const tool = startTool("pg_restore", ["--no-owner", "--no-privileges", "--file=-", file], env);
  tool.stdin.end();
  await Promise.all([tool.ended, pipeline(tool.stdout, into)]);
}
