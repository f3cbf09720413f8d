import { type Profiler, Session } from "node:inspector";

/** Scripts that are looked at: what is tried, not what tries it. */
const looked = /\/src\/(?!test\/|testing\/)/;

/** A piece of code that ran. */
export interface Piece {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

/** Counts which pieces of code run, by V8's own means. Start it before what it is to count is imported. */
export class Coverage {
  readonly #session = new Session();
  readonly #paths = new Map<string, string | undefined>();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** What ran since the last time: each piece after those that it is within, and then what of them did not run. */
  take(): Piece[] {
    let scripts: Profiler.ScriptCoverage[] = [];
    this.#session.post("Profiler.takePreciseCoverage", (error, taken) => {
      if (error) throw error;
      scripts = taken.result;
    });
    const pieces: Piece[] = [];
    for (const { url, functions } of scripts) {
      const path = this.#pathOf(url);
      if (path === undefined) continue;
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges)
          pieces.push({ path, start: startOffset, end: endOffset, count });
    }
    return pieces;
  }

  #pathOf(url: string): string | undefined {
    if (!this.#paths.has(url)) this.#paths.set(url, looked.test(url) ? url.replace(/^.*\/src\//, "") : undefined);
    return this.#paths.get(url);
  }
}

/** All the code that has run so far, character by character: V8 joins and parts its pieces as their counts have it. */
export class Explored {
  readonly #scripts = new Map<string, Uint8Array>();

  /** Adds what one run went through; returns a place that is new, if there is one. */
  add(pieces: readonly Piece[]): string | undefined {
    const ran = new Map<string, Uint8Array>();
    for (const { path, start, end, count } of pieces) {
      const marks = grown(ran.get(path), end);
      ran.set(path, marks.fill(count > 0 ? 1 : 0, start, end));
    }
    let place: string | undefined;
    for (const [path, marks] of ran) {
      const before = grown(this.#scripts.get(path), marks.length);
      this.#scripts.set(path, before);
      for (let at = 0; at < marks.length; at++) {
        if (marks[at] === 0 || before[at] === 1) continue;
        before[at] = 1;
        place ??= `${path} at character ${at}`;
      }
    }
    return place;
  }
}

function grown(marks: Uint8Array | undefined, length: number): Uint8Array {
  if (marks !== undefined && marks.length >= length) return marks;
  const larger = new Uint8Array(length);
  if (marks !== undefined) larger.set(marks);
  return larger;
}
