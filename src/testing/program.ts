import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { eventually } from "./eventually.ts";

/** What a program is started with. */
export interface ProgramOptions {
  /** What logs call it: "user 2". */
  readonly name: string;
  /** Its file, from `src/`. */
  readonly file: string;
  readonly args?: readonly string[];
  /** All of its environment beside PATH: nothing of the developer's own settings reaches it. */
  readonly env: Readonly<Record<string, string>>;
}

/** How a program ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const source = join(import.meta.dirname, "..");

/** Nobody outlives the tests. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** One life of one program of ours, as a process of its own. Closing it kills it. */
export class Program implements AsyncDisposable {
  readonly name: string;
  readonly ended: Promise<Exit>;
  readonly #child: ChildProcess;
  #output = "";
  #exit: Exit | undefined;

  constructor({ name, file, args = [], env }: ProgramOptions) {
    this.name = name;
    this.#child = spawn(process.execPath, [join(source, file), ...args], {
      env: { PATH: process.env.PATH ?? "", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
      });
    }
    running.add(this.#child);
    this.ended = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => {
        running.delete(this.#child);
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  /** All that it has written so far. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /** Sends a signal, by process id. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and resolves when the program has ended. */
  end(signal: NodeJS.Signals): Promise<Exit> {
    this.signal(signal);
    return this.ended;
  }

  /** Resolves when `url` answers 200; fails with what the program wrote when it ends first. */
  async answers(url: string): Promise<void> {
    const ready = async () => !this.running || (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
    await eventually(`${this.name} answers ${url}`, ready, { withinMs: 90_000 });
    if (!this.running) throw new Error(`${this.name} ended before it was ready:\n${this.#output}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}
