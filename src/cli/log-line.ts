import type { Paint, Tone } from "./paint.ts";

/** One line of a part's log, understood as far as it can be. */
export interface LogLine {
  /** "user-8001". */
  readonly source: string;
  /** Milliseconds since the epoch. A line without a time has that of the line before it. */
  readonly at: number;
  readonly level: string;
  readonly message: string;
  /** What else it says, in its order. */
  readonly fields: readonly (readonly [name: string, value: unknown])[];
  /** Whether it is plain text, such as a stack trace of a program that broke. */
  readonly plain: boolean;
}

/** Understands a line; `before` is the time of the line before it. */
export function parseLine(source: string, text: string, before: number): LogLine {
  const { time, level, message, service: _, ...rest } = parseObject(text) ?? {};
  if (typeof time !== "string" || typeof message !== "string") {
    return { source, at: before, level: "", message: text, fields: [], plain: true };
  }
  const at = Date.parse(time);
  const fields = Object.entries(rest);
  return { source, at: Number.isNaN(at) ? before : at, level: String(level ?? ""), message, fields, plain: false };
}

/** Lines of several logs in the order of their times. Lines of one log stay in theirs. */
export function mergeLines(logs: readonly (readonly LogLine[])[]): LogLine[] {
  return logs.flat().sort((a, b) => a.at - b.at);
}

/** A line for people: time, level, who, message, then fields; a stack trace below it. */
export function spellLine(line: LogLine, { paint, width }: { readonly paint: Paint; readonly width: number }): string {
  const who = paint("dim", line.source.padEnd(width));
  if (line.plain) return `${" ".repeat(12)}  ${" ".repeat(5)}  ${who}  ${line.message}`;
  const time = paint("dim", new Date(line.at).toISOString().slice(11, 23));
  const level = paint(tones[line.level] ?? "plain", line.level.toUpperCase().padEnd(5));
  const fields = line.fields.map(([name, value]) => `  ${paint("dim", `${name}=`)}${spellValue(value)}`);
  const stacks = line.fields.flatMap(([, value]) => stackOf(value)).map((row) => `\n${" ".repeat(21)}${row}`);
  return `${time}  ${level}  ${who}  ${line.message}${fields.join("")}${stacks.join("")}`;
}

const tones: Readonly<Record<string, Tone>> = { debug: "dim", info: "good", warn: "warn", error: "bad" };

function spellValue(value: unknown): string {
  if (isError(value)) return JSON.stringify(value.message);
  if (typeof value === "string" && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value);
}

/** The frames of an error's stack, without its message, which stands in the line already. */
function stackOf(value: unknown): string[] {
  if (!isError(value) || typeof value.stack !== "string") return [];
  return value.stack.split("\n").filter((row) => row.trimStart().startsWith("at "));
}

function isError(value: unknown): value is { readonly message: string; readonly stack?: unknown } {
  return typeof value === "object" && value !== null && "message" in value && typeof value.message === "string";
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // cut short: shown as it stands
  }
}
