import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { pathOf } from "./programs.ts";

/** Whose CPU a process runs on: what is measured has one to itself, all that it needs shares the other. */
export type Side = "measured" | "other";

const cpus: Readonly<Record<Side, string>> = { measured: "0", other: "1" };

/** Whether `taskset` is here, and both CPUs are ours to use. */
export const canPin = Object.values(cpus).every((cpu) => spawnSync("taskset", ["-c", cpu, "true"]).status === 0);

/** In the parent: a program of this folder in a process of its own, on one CPU where the system can pin it. */
export class Child implements Disposable {
  readonly #process: ChildProcess;

  constructor(side: Side, program: string, ...args: readonly string[]) {
    this.#process = fork(pathOf(program), args, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { HEDDLE_HTTP2: "own", ...process.env },
      ...(canPin && { execPath: "taskset", execArgv: ["-c", cpus[side], process.execPath] }),
    });
  }

  /** The next answer; the child ending instead is an error. */
  answer<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const { spawnargs } = this.#process;
      const onExit = (code: number | null) => reject(new Error(`${spawnargs.join(" ")} ended with ${code}`));
      this.#process.once("exit", onExit);
      this.#process.once("message", (message: { answer: T }) => {
        this.#process.off("exit", onExit);
        resolve(message.answer);
      });
    });
  }

  /** Asks for something and waits for the answer. */
  ask<T>(message: string | object): Promise<T> {
    const answer = this.answer<T>();
    this.#process.send(message);
    return answer;
  }

  /** It stands still, and its kernel goes on for it: connections stay open and take what is sent, and nobody reads it. */
  standStill(): void {
    this.#process.kill("SIGSTOP");
  }

  /** Ends that. */
  goOn(): void {
    this.#process.kill("SIGCONT");
  }

  [Symbol.dispose](): void {
    this.goOn(); // who stands still would not hear that it is to end
    if (this.#process.connected) this.#process.disconnect();
  }
}
