import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { environmentOf, type Part, type PlanSettings } from "./plan.ts";
import { markOf } from "./process-mark.ts";
import type { RunningPart } from "./run-file.ts";

/** A part that this command started, and how it ends should it end now. */
export interface StartedPart {
  readonly part: Part;
  readonly running: RunningPart;
  /** Where this start's lines begin in the log, in bytes. */
  readonly logStart: number;
  /** Resolves when it has ended, in words: "ended with status 2". */
  readonly ended: Promise<string>;
}

/** Node's own warnings are not the reader's business: they stay out of the log. */
const nodeArguments = ["--disable-warning=ExperimentalWarning"];

/** Starts a part as a process of its own, which outlives this one and writes to its log. */
export function startPart(part: Part, { now, ...settings }: PlanSettings & { readonly now: number }): StartedPart {
  const { name, port, adminPort, stage, program } = part;
  const log = join(settings.home, "logs", `${name}-${port}.log`);
  mkdirSync(join(settings.home, "logs"), { recursive: true });
  const fd = openSync(log, "a");
  try {
    const logStart = fstatSync(fd).size;
    const env = environmentOf(part, settings);
    const child = spawn(process.execPath, [...nodeArguments, program], {
      detached: true,
      stdio: ["ignore", fd, fd],
      env,
    });
    child.unref();
    const ended = ending(child);
    if (child.pid === undefined) throw new Error(`${name} on port ${port} could not be started: no process for it`);
    const running = { name, port, adminPort, stage, log, startedAt: now, ...markOf(child.pid) };
    return { part, running, logStart, ended };
  } finally {
    closeSync(fd);
  }
}

function ending(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("exit", (status, signal) => resolve(signal ? `was ended by ${signal}` : `ended with status ${status}`));
  });
}
