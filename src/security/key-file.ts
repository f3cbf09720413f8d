import { readFile, stat } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { messageOf } from "../base/message-of.ts";
import { type KeySet, type KeySource, readKeySet } from "./key-set.ts";
import { keysUnavailable } from "./refusals.ts";

/** What following a file of keys needs. */
export interface KeyFileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How old what is known of the file may be, in milliseconds: so long a key may count that was taken out of it. */
const staleMs = 1_000;

interface Known {
  readonly keys: KeySet;
  /** Another one means another file, or other content. */
  readonly mark: string;
  readonly lookedAt: number;
}

/**
 * Keys from a file, read again when it changes: looked at when somebody asks, at most once a second, and at once for a
 * key that is not known. A file that cannot be read, or is no JWKS, leaves the keys as they were.
 */
export class KeyFile implements KeySource {
  readonly #options: KeyFileOptions;
  #known: Known | undefined;
  #looking: Promise<KeySet> | undefined;
  #complaint = "";

  constructor(options: KeyFileOptions) {
    this.#options = options;
  }

  current(): KeySet | Promise<KeySet> {
    const known = this.#known;
    if (known !== undefined && this.#options.clock.now() - known.lookedAt < staleMs) return known.keys;
    return this.#look();
  }

  newer(): Promise<KeySet> {
    return this.#look();
  }

  #look(): Promise<KeySet> {
    this.#looking ??= this.#read().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #read(): Promise<KeySet> {
    const { path, clock, log } = this.#options;
    const lookedAt = clock.now();
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const mark = `${mtimeMs} ${size} ${ino}`;
      const keys = this.#known?.mark === mark ? this.#known.keys : readKeySet(await readFile(path, "utf8"), log);
      this.#known = { keys, mark, lookedAt };
      this.#complaint = "";
      return keys;
    } catch (reason) {
      this.#complain(messageOf(reason));
      if (this.#known === undefined) throw keysUnavailable(staleMs);
      this.#known = { ...this.#known, lookedAt };
      return this.#known.keys;
    }
  }

  /** Once for each problem, not once a second. */
  #complain(problem: string): void {
    const { path, log } = this.#options;
    if (problem === this.#complaint) return;
    this.#complaint = problem;
    const kept = this.#known === undefined ? "no token can be checked" : "the keys stay as they were";
    log.warn(`the file of keys cannot be used; ${kept}`, { path, problem });
  }
}
