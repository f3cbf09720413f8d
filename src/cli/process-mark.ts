import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process that is known again: a pid alone may belong to somebody else by now. */
export interface Marked {
  readonly pid: number;
  /** When it started, in the system's own words; empty where the system does not say. */
  readonly mark: string;
}

/** Marks a process that was just started, or this one. */
export function markOf(pid: number): Marked {
  return { pid, mark: startOf(pid) ?? "" };
}

/** Whether the very process that was marked still runs. */
export function isAlive({ pid, mark }: Marked): boolean {
  const start = startOf(pid);
  return start !== undefined && (mark === "" || start === mark);
}

/** Sends a signal to the very process that was marked. Resolves to false when it is gone. */
export function signalTo(process_: Marked, signal: NodeJS.Signals): boolean {
  if (!isAlive(process_)) return false;
  try {
    return process.kill(process_.pid, signal);
  } catch {
    return false; // it went between the look and the signal
  }
}

/** When a process started: `undefined` when there is none, "" when the system does not say. */
function startOf(pid: number): string | undefined {
  if (!exists(pid)) return undefined;
  return process.platform === "linux" ? startInProc(pid) : startFromPs(pid);
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (reason) {
    return reason instanceof Error && "code" in reason && reason.code === "EPERM"; // somebody else's, but there
  }
}

/** Field 22 of proc_pid_stat(5). The name before it may hold spaces and brackets: count from its end. */
function startInProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state] = fields;
    return state === "Z" || state === "X" ? undefined : (fields[19] ?? ""); // a zombie has ended
  } catch {
    return undefined; // it ended while we looked
  }
}

function startFromPs(pid: number): string | undefined {
  try {
    const said = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8", stdio: "pipe" });
    const [state = "", ...start] = said.trim().split(/\s+/);
    return state.startsWith("Z") ? undefined : start.join(" ");
  } catch {
    return ""; // no `ps` here, or it ended while we looked: its pid is all we know
  }
}
