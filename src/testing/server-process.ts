import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./eventually.ts";

/** A server made by others that a test may kill and start again, on the same port and with the data it had. */
export interface KillableServer extends AsyncDisposable {
  /** Where it answers, life after life. */
  readonly url: string;
  /** Ends it at once with SIGKILL, and all that it has started, as a crash would. Does nothing when it is down. */
  kill(): Promise<void>;
  /** Starts it again on what it had written; resolves when it answers. Does nothing when it is up. */
  start(): Promise<void>;
  /** Stops it without ending it: its connections stay open, and nobody answers on them. */
  freeze(): void;
  thaw(): void;
}

/** How a server is started, and how one sees that it is ready. */
export interface ServerProcess {
  /** What messages call it: "RabbitMQ". */
  readonly name: string;
  readonly command: () => readonly [string, ...string[]];
  readonly answers: () => Promise<boolean>;
}

const scripts = join(import.meta.dirname, "../../scripts");

/** The path of one of the project's scripts. */
export const scriptNamed = (name: string) => join(scripts, name);

/** The lives of one server, each with all that it has started: no part of it outlives a kill. */
export class ServerLives {
  readonly #options: ServerProcess;
  #child: ChildProcess | undefined;

  constructor(options: ServerProcess) {
    this.#options = options;
  }

  /** Resolves when the server answers; fails with what it said when it ends first. */
  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    const { name, command, answers } = this.#options;
    const [file, ...args] = command();
    const child = spawn(file, args, { detached: true, stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-10_000);
    });
    process.once("exit", this.#atExit);
    const ready = async () => hasEnded(child) || (await answers());
    await eventually(`${name} answers`, ready, { withinMs: 90_000, everyMs: 100 });
    if (hasEnded(child)) {
      await this.kill();
      throw new Error(`${name} ended before it was ready: ${said}`);
    }
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    process.off("exit", this.#atExit);
    const ended = hasEnded(child) ? undefined : once(child, "exit");
    signal(child, "SIGKILL");
    await ended;
  }

  signal(name: NodeJS.Signals): void {
    if (this.#child !== undefined) signal(this.#child, name);
  }

  readonly #atExit = () => {
    if (this.#child !== undefined) signal(this.#child, "SIGKILL"); // nobody outlives the tests
  };
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

/** To it and all that it has started: some of that leaves the group that it was born in. */
function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  for (const one of [-pid, pid, ...descendants(pid)]) {
    try {
      process.kill(one, name);
    } catch {
      // it has ended
    }
  }
}

function descendants(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    const pids = children === "" ? [] : children.split(" ").map(Number);
    return pids.flatMap((child) => [child, ...descendants(child)]);
  } catch {
    return []; // it has ended
  }
}
