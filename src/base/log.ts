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
    const line = { time: new Date().toISOString(), level: at, message, ...fields, ...more };
    write(`${JSON.stringify(line, plain)}\n`);
  };
  return {
    debug: tell("debug"),
    info: tell("info"),
    warn: tell("warn"),
    error: tell("error"),
    child: (more) => jsonLogger({ level, write, fields: { ...fields, ...more } }),
  };
}

/** Makes plain what JSON cannot hold. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack };
  return value;
}

/** Tells nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
