import type { ParseArgsOptionDescriptor } from "node:util";
import type { Clock } from "../base/clock.ts";
import type { Part } from "./plan.ts";
import type { Screen } from "./screen.ts";

/** What every command is given. */
export interface Cli {
  /** The folder of data, logs and the run file: an absolute path. */
  readonly home: string;
  /** Discovery's "host:port" for those who ask it. */
  readonly discovery: string;
  /** What `up` starts. */
  readonly plan: readonly Part[];
  /** What started parts inherit. */
  readonly env: NodeJS.ProcessEnv;
  readonly out: Screen;
  readonly clock: Clock;
  /** Aborts when the user wants the command to end: Ctrl-C. */
  readonly interrupted: AbortSignal;
}

/** An option of a command, and what `--help` says of it. */
export interface CommandOption extends ParseArgsOptionDescriptor {
  readonly about: string;
}

/** What was typed after a command's name. */
export interface CommandArgs {
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly words: readonly string[];
}

/** One verb. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly about: string;
  /** What more there is to know, for `heddle <command> --help`. */
  readonly more?: string;
  /** How words after the name are shown: "[name…]". Unset: there are none. */
  readonly words?: string;
  readonly options?: Readonly<Record<string, CommandOption>>;
  /** Whether the words are the command's own to judge, `--help` among them. */
  readonly passThrough?: boolean;
  /** Resolves with the exit status. */
  run(cli: Cli, args: CommandArgs): Promise<number>;
}

/** Something was typed that cannot be done. The message says what, and what may have been meant. */
export class UsageError extends Error {}
