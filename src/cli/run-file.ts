import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Part } from "./plan.ts";
import type { Marked } from "./process-mark.ts";

/** A part that was started: its process, and where its log lies. */
export interface RunningPart extends Marked, Pick<Part, "name" | "port" | "adminPort" | "stage"> {
  readonly log: string;
  /** When it was started, in milliseconds since the epoch. */
  readonly startedAt: number;
}

/** What `up` leaves for the commands after it. */
export interface RunState {
  /** The `up` that is starting parts right now; unset when it is done. */
  readonly starter?: Marked;
  readonly parts: readonly RunningPart[];
}

/** The file `run.json` of a home: who was started. It is replaced whole, so a reader never sees half of it. */
export class RunFile {
  readonly path: string;
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
    this.path = join(home, "run.json");
  }

  /** What was written last; `undefined` when there is no file, or none that can be understood. */
  read(): RunState | undefined {
    try {
      const state: unknown = JSON.parse(readFileSync(this.path, "utf8"));
      return isRunState(state) ? state : undefined;
    } catch {
      return undefined; // not there, or cut short by a full disk: nothing is known
    }
  }

  /** Replaces what was written. */
  write(state: RunState): void {
    const draft = this.#draft(state);
    renameSync(draft, this.path);
  }

  /** Writes the first state there is. False when somebody else was quicker. */
  claim(state: RunState): boolean {
    const draft = this.#draft(state);
    try {
      linkSync(draft, this.path);
      return true;
    } catch (reason) {
      if (reason instanceof Error && "code" in reason && reason.code === "EEXIST") return false;
      throw reason;
    } finally {
      rmSync(draft, { force: true });
    }
  }

  /** Forgets everything. */
  remove(): void {
    rmSync(this.path, { force: true });
  }

  #draft(state: RunState): string {
    mkdirSync(this.#home, { recursive: true });
    const draft = `${this.path}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`);
    return draft;
  }
}

function isRunState(value: unknown): value is RunState {
  if (typeof value !== "object" || value === null || !("parts" in value) || !Array.isArray(value.parts)) return false;
  return value.parts.every(isRunningPart) && (!("starter" in value) || isMarked(value.starter));
}

function isRunningPart(value: unknown): value is RunningPart {
  if (!isMarked(value)) return false;
  const part = value as Partial<RunningPart>;
  const numbers = [part.port, part.adminPort, part.stage, part.startedAt];
  return numbers.every((field) => typeof field === "number") && [part.name, part.log].every(isText);
}

function isMarked(value: unknown): value is Marked {
  const { pid, mark } = Object(value) as Partial<Marked>;
  return Number.isInteger(pid) && (pid ?? 0) > 0 && isText(mark);
}

const isText = (field: unknown) => typeof field === "string";
