import { messageOf } from "./message-of.ts";

/** One setting as `--help` lists it. */
interface Setting {
  readonly name: string;
  readonly fallback: string;
  readonly about: string;
}

/** A span as people write it: "250ms", "10s", "5m", "1h"; a bare number is milliseconds. */
const duration = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/;
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Reads settings from environment variables, and remembers every complaint instead of stopping at the first.
 * An empty variable counts as unset. A setting without a default has to be given.
 */
export class EnvReader {
  readonly #env: NodeJS.ProcessEnv;
  readonly #settings: Setting[] = [];
  readonly #complaints: string[] = [];

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** Text as it stands. */
  text(name: string, fallback?: string, about = ""): string {
    return this.#read(name, fallback, fallback, about, (raw) => raw) ?? "";
  }

  /** A whole number from `min` to `max`. */
  int(name: string, fallback?: number, about = "", { min = 0, max = Number.MAX_SAFE_INTEGER } = {}): number {
    const parse = (raw: string) => {
      const value = Number(raw);
      if (/^-?\d+$/.test(raw) && value >= min && value <= max) return value;
      throw new Error(`has to be a whole number from ${min} to ${max}`);
    };
    return this.#read(name, fallback, fallback?.toString(), about, parse) ?? 0;
  }

  /** A TCP port; 0 lets the system choose one. */
  port(name: string, fallback?: number, about = ""): number {
    return this.int(name, fallback, about, { max: 65_535 });
  }

  /** `true` or `false`, also `1` and `0`. */
  bool(name: string, fallback: boolean, about = ""): boolean {
    const parse = (raw: string) => {
      if (raw === "true" || raw === "1") return true;
      if (raw === "false" || raw === "0") return false;
      throw new Error("has to be true or false");
    };
    return this.#read(name, fallback, String(fallback), about, parse) ?? false;
  }

  /** A span in milliseconds: "250ms", "10s", "5m", "1h". */
  durationMs(name: string, fallbackMs?: number, about = ""): number {
    const parse = (raw: string) => {
      const [, digits, unit = "ms"] = duration.exec(raw) ?? [];
      if (digits !== undefined) return Number(digits) * (unitMs[unit] ?? 1);
      throw new Error('has to be a span such as "250ms", "10s" or "5m"');
    };
    return this.#read(name, fallbackMs, fallbackMs === undefined ? undefined : spell(fallbackMs), about, parse) ?? 0;
  }

  /** One of the values given. */
  choice<T extends string>(name: string, values: readonly T[], fallback: T, about = ""): T {
    const parse = (raw: string) => {
      const found = values.find((value) => value === raw);
      if (found !== undefined) return found;
      throw new Error(`has to be one of ${values.join(", ")}`);
    };
    return this.#read(name, fallback, fallback, about, parse) ?? fallback;
  }

  /** Values between commas. */
  list(name: string, fallback: readonly string[], about = ""): readonly string[] {
    const parse = (raw: string) => raw.split(",").map((part) => part.trim());
    return this.#read(name, fallback, fallback.join(","), about, parse) ?? fallback;
  }

  /** A value that `parse` makes of the text, or complains about by throwing an Error whose message reads on after the name. */
  parsed<T>(name: string, fallback: string, about: string, parse: (raw: string) => T): T | undefined {
    return this.#read(name, parse(fallback), fallback, about, parse);
  }

  /** Like `parsed`, of a text that may hold a password: complaints name the variable only. */
  secret<T>(name: string, fallback: string, about: string, parse: (raw: string) => T): T | undefined {
    return this.#read(name, parse(fallback), fallback, about, parse, true);
  }

  /** Everything that was wrong, a line each, naming the variable and its value. */
  get complaints(): readonly string[] {
    return this.#complaints;
  }

  /** The settings read so far with their defaults, as a table for `--help`. */
  table(): string {
    const width = Math.max(0, ...this.#settings.map((setting) => setting.name.length));
    const middle = Math.max(0, ...this.#settings.map((setting) => setting.fallback.length));
    return this.#settings
      .map(({ name, fallback, about }) => `  ${name.padEnd(width)}  ${fallback.padEnd(middle)}  ${about}`.trimEnd())
      .join("\n");
  }

  #read<T>(
    name: string,
    fallback: T | undefined,
    shown: string | undefined,
    about: string,
    parse: (raw: string) => T,
    hidden = false,
  ): T | undefined {
    this.#settings.push({ name, fallback: shown === undefined ? "(required)" : shown || '""', about });
    const raw = this.#env[name];
    if (raw === undefined || raw === "") {
      if (fallback === undefined) this.#complaints.push(`${name} is not set and has no default`);
      return fallback;
    }
    try {
      return parse(raw);
    } catch (reason) {
      const shownRaw = hidden ? name : `${name}=${raw}`;
      this.#complaints.push(`${shownRaw} ${messageOf(reason)}`);
      return fallback;
    }
  }
}

function spell(ms: number): string {
  if (ms !== 0 && ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

/** What the environment says of a library's default, where a program has not said it itself. */
export function environmentOr(name: string, fallback: string): string {
  return process.env[name] || fallback;
}

/**
 * The settings of a program, read once at its start. `--help` prints them with their defaults and ends the program;
 * anything wrong ends it with status 2 and all complaints at once.
 */
export function readSettings<T>(
  title: string,
  load: (read: EnvReader) => T,
  { env = process.env, args = process.argv.slice(2) } = {},
): T {
  const help = args.includes("--help") || args.includes("-h");
  const read = new EnvReader(help ? {} : env);
  const settings = load(read);
  if (help) {
    process.stdout.write(
      `${title}\n\nSettings are environment variables; these are their defaults:\n\n${read.table()}\n`,
    );
    process.exit(0);
  }
  if (read.complaints.length > 0) {
    process.stderr.write(`${title} cannot start:\n${read.complaints.map((line) => `  ${line}\n`).join("")}`);
    process.exit(2);
  }
  return settings;
}

/** What a program starts with. One that cannot start ends the program with status 2 and a line that says why. */
export async function orExit<T>(title: string, start: Promise<T>): Promise<T> {
  try {
    return await start;
  } catch (reason) {
    process.stderr.write(`${title} cannot start:\n  ${messageOf(reason)}\n`);
    process.exit(2);
  }
}
