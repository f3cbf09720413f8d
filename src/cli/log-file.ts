import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { type LogLine, parseLine } from "./log-line.ts";

/** What is read of a log at most, from its end. */
const tailBytes = 8 * 1024 * 1024;

/** One part's log, read bit by bit: each read returns the lines that are new. */
export class LogFile {
  /** "user-8001". */
  readonly source: string;
  readonly #path: string;
  #offset: number | undefined;
  #rest = "";
  #decoder = new StringDecoder("utf8");
  #lastAt = 0;

  /** Reads from `offset` in bytes; by default the last 8 MiB. */
  constructor(path: string, source: string, offset?: number) {
    this.source = source;
    this.#path = path;
    this.#offset = offset;
  }

  /** Complete lines since the last read; with `all`, also one that has no end yet. */
  read({ all = false } = {}): LogLine[] {
    const lines = (this.#rest + this.#news()).split("\n");
    this.#rest = all ? "" : (lines.pop() ?? "");
    return lines.filter((text) => text.trim() !== "").map((text) => this.#parse(text));
  }

  #parse(text: string): LogLine {
    const line = parseLine(this.source, text, this.#lastAt);
    this.#lastAt = line.at;
    return line;
  }

  #news(): string {
    const bytes = this.#bytes();
    return bytes === undefined ? "" : this.#decoder.write(bytes);
  }

  #bytes(): Buffer | undefined {
    const fd = open(this.#path);
    if (fd === undefined) return undefined;
    try {
      const { size } = fstatSync(fd);
      let from = this.#offset ?? Math.max(0, size - tailBytes);
      if (from > size) from = 0; // emptied by somebody: begin again
      const bytes = Buffer.alloc(size - from);
      const count = readSync(fd, bytes, 0, bytes.length, from);
      this.#offset = from + count;
      return bytes.subarray(0, count);
    } finally {
      closeSync(fd);
    }
  }
}

/** The logs in a folder, by the name of their part: "user-8001". None when there is no folder. */
export function logSources(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith(".log"))
      .map((file) => file.slice(0, -".log".length))
      .sort();
  } catch {
    return []; // nothing was ever started here
  }
}

/** The log of a source in a folder. */
export function openLog(folder: string, source: string): LogFile {
  return new LogFile(join(folder, `${source}.log`), source);
}

function open(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined; // it was removed: there is nothing new in it
  }
}
