import type { Cli } from "./command.ts";
import { listInstances } from "./instances.ts";
import { host } from "./plan.ts";
import { isAlive } from "./process-mark.ts";
import { RunFile } from "./run-file.ts";

/** A process that may be asked what its calls did. */
export interface Peer {
  readonly name: string;
  /** "host:port" by which others reach it. */
  readonly address: string;
  /** "host:port" of its pages for machines, where it has some. */
  readonly admin: string | undefined;
}

/** A call, and who made it. */
export interface Made<T> {
  readonly by: Peer;
  readonly call: T;
}

/** What peers have told. */
export interface Told<T> {
  readonly calls: readonly Made<T>[];
  /** Those that could not be asked, and why. */
  readonly silent: readonly (Peer & { readonly why: string })[];
}

/** Who there is: by discovery or, where that does not answer, by what was started here. Rejects where nothing is known. */
export async function peersOf({ home, discovery }: Cli): Promise<readonly Peer[]> {
  try {
    return await listInstances(discovery);
  } catch (reason) {
    const started = (new RunFile(home).read()?.parts ?? []).filter(isAlive);
    if (started.length === 0) throw reason;
    return started.map(({ name, port, adminPort }) => {
      return { name, address: `${host}:${port}`, admin: `${host}:${adminPort}` };
    });
  }
}

/** How long one may take to answer. */
const patienceMs = 1_000;

/** Asks all of them at once for a page that is a list of calls. */
export async function askCalls<T>(peers: readonly Peer[], path: string): Promise<Told<T>> {
  const answers = await Promise.all(peers.map((by) => askOne<T>(by, path)));
  const calls = answers.flatMap(({ by, told }) => (typeof told === "string" ? [] : told.map((call) => ({ by, call }))));
  const silent = answers.flatMap(({ by, told }) => (typeof told === "string" ? [{ ...by, why: told }] : []));
  return { calls, silent };
}

/** What it tells, or why it tells nothing. */
async function askOne<T>(by: Peer, path: string): Promise<{ readonly by: Peer; readonly told: readonly T[] | string }> {
  if (by.admin === undefined) return { by, told: "it has no pages for machines" };
  try {
    const response = await fetch(`http://${by.admin}${path}`, { signal: AbortSignal.timeout(patienceMs) });
    const told: unknown = await response.json();
    const isList = response.ok && Array.isArray(told);
    return { by, told: isList ? told : `its page at ${by.admin} answers with status ${response.status}` };
  } catch (reason) {
    return { by, told: whyNot(by.admin, reason) };
  }
}

function whyNot(admin: string, reason: unknown): string {
  const isLate = reason instanceof Error && reason.name === "TimeoutError";
  return isLate ? `no answer from ${admin} within ${patienceMs / 1_000} s` : `${admin} cannot be reached`;
}
