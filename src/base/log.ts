/** Facts that belong to a line of the log. An `error` among them is written with its message and stack. */
export type Fields = Readonly<Record<string, unknown>>;

/** Tells what happens, one line of JSON each. */
export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** The same log with these fields on every line. */
  child(fields: Fields): Logger;
}

/** Levels from the most talkative up. */
export const logLevels = ["debug", "info", "warn", "error"] as const;

/** How much is told. */
export type LogLevel = (typeof logLevels)[number];

/** What a JSON log needs to know. */
export interface JsonLogOptions {
  readonly level?: LogLevel;
  /** On every line: `{ service: "user" }`. */
  readonly fields?: Fields;
  /** Where lines go; a line ends with a newline. By default standard output, as log collectors expect. */
  readonly write?: (line: string) => void;
}

/** A log of one JSON object per line: `time` (ISO 8601), `level`, `message`, then fields. */
export function jsonLogger(options: JsonLogOptions = {}): Logger {
  const { level = "info", fields = {}, write = (line) => process.stdout.write(line) } = options;
  const lowest = logLevels.indexOf(level);
  const tell = (at: LogLevel) => (message: string, more?: Fields) => {
    if (logLevels.indexOf(at) < lowest) return;
    write(`${asJson({ time: new Date().toISOString(), level: at, message, ...fields, ...more })}\n`);
  };
  return {
    debug: tell("debug"),
    info: tell("info"),
    warn: tell("warn"),
    error: tell("error"),
    child: (more) => jsonLogger({ level, write, fields: { ...fields, ...more } }),
  };
}

/** The line as JSON; fields that JSON cannot hold are left out, since a log must not fail its caller. */
function asJson(line: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(line, plain);
  } catch (reason) {
    const { time, level, message } = line;
    return JSON.stringify({ time, level, message, unwritten: String(reason) });
  }
}

/** Makes plain what JSON cannot hold. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return { name, message, stack, ...(cause !== undefined && { cause }) };
}

/** Tells nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
