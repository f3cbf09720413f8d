import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Clock } from "../base/clock.ts";
import type { SqliteSync } from "./sqlite-file.ts";

/** Which file, and how its connections commit. */
export interface CheckpointWork {
  readonly file: string;
  readonly sync: SqliteSync;
}

/** What the thread is told. */
export type ThreadMessage = "copy" | "end";

/** A file that is hardly written to is not worth a thread. */
const commitsBefore = 256;
/** So many commits are worth looking at; and so often at most. */
const [commitsBetween, restMs] = [16, 100];
const here = import.meta.url;

/**
 * Copies a SQLite file's write-ahead log into the file from a thread of its own. A commit that finds the log long would do so itself, and
 * wait for the disk twice with the whole event loop: 7 ms for 1,000 pages where the rest of a commit takes 0.1 ms.
 *
 * Where it fails or is slow, the log grows until commits copy it themselves again: see `openSqliteFile`.
 */
export class Checkpoints {
  readonly #work: CheckpointWork;
  readonly #clock: Clock;
  readonly #ended = Promise.withResolvers<void>();
  #thread: Worker | undefined;
  #commits = 0;
  #isBusy = false;
  #restsUntil = 0;
  #isClosed = false;

  constructor({ file, sync }: CheckpointWork, clock: Clock) {
    this.#work = { file, sync };
    this.#clock = clock;
  }

  /** Says that something was committed, or may have been. */
  committed(): void {
    this.#commits++;
    const isTime = this.#commits >= (this.#thread === undefined ? commitsBefore : commitsBetween);
    if (!isTime || this.#isBusy || this.#isClosed || this.#clock.now() < this.#restsUntil) return;
    this.#commits = 0;
    this.#isBusy = true;
    this.#thread ??= this.#start();
    tell(this.#thread, "copy");
  }

  /** Ends the thread. The connections are closed afterwards: the last one clears the log away. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const thread = this.#thread;
    if (thread === undefined) return;
    thread.ref();
    tell(thread, "end");
    await this.#ended.promise;
  }

  #start(): Worker {
    const thread = new Worker(new URL(`./checkpoint-thread${extname(here)}`, here), { workerData: this.#work });
    thread.unref();
    thread.on("message", () => this.#done());
    thread.on("error", () => {}); // it is not tried again: commits do it, as without it
    thread.once("exit", () => {
      this.#isClosed = true;
      this.#ended.resolve();
    });
    return thread;
  }

  #done(): void {
    this.#isBusy = false;
    this.#restsUntil = this.#clock.now() + restMs;
  }
}

function tell(thread: Worker, message: ThreadMessage): void {
  thread.postMessage(message);
}
