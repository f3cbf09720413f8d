import { readFileSync } from "node:fs";
import { EnvReader } from "../base/env.ts";
import { findCommand, readArguments } from "./arguments.ts";
import { type Cli, type Command, UsageError } from "./command.ts";
import { manual, overview } from "./help.ts";
import { type Sink, screen } from "./screen.ts";
import { cliSettings } from "./settings.ts";

/** What the command line is given from outside. */
export interface CliInputs extends Pick<Cli, "env" | "plan" | "clock" | "interrupted"> {
  readonly args: readonly string[];
  readonly commands: readonly Command[];
  readonly stdout: Sink;
  readonly stderr: Sink;
}

/** Does what was typed. Resolves with the exit status: 2 when it could not be understood. */
export async function runCli(inputs: CliInputs): Promise<number> {
  const { args, env, commands, stdout, stderr } = inputs;
  const read = new EnvReader(env);
  const { noColour, ...settings } = cliSettings(read);
  const out = screen(stdout, { noColour });
  const [verb = "--help", ...rest] = args;
  try {
    if (["--help", "-h", "help"].includes(verb)) {
      const topic = rest[0] === undefined ? undefined : findCommand(commands, rest[0]);
      out.line(topic ? manual(topic) : overview(commands, helpSettings()));
      return 0;
    }
    if (["--version", "-v", "version"].includes(verb)) {
      out.line(version());
      return 0;
    }
    const command = findCommand(commands, verb);
    const typed = readArguments(command, rest);
    if (typed.flags.help) {
      out.line(manual(command));
      return 0;
    }
    return await command.run({ ...inputs, ...settings, out }, typed);
  } catch (reason) {
    if (isSystemError(reason)) {
      screen(stderr).line(`heddle ${verb} failed: ${reason.message}`);
      return 1;
    }
    if (!(reason instanceof UsageError)) throw reason;
    const known = commands.some(({ name }) => name === verb);
    screen(stderr).line(`${reason.message}\nSee heddle ${known ? `${verb} ` : ""}--help`);
    return 2;
  }
}

/** What the machine refuses (a folder that is not to be written, no more processes) is no fault of the program. */
function isSystemError(reason: unknown): reason is Error {
  return reason instanceof Error && "syscall" in reason;
}

/** The settings with nothing but their defaults. */
function helpSettings(): EnvReader {
  const read = new EnvReader({});
  cliSettings(read);
  return read;
}

/** The release, as the package says it: beside `src/`, or beside `dist/`. */
function version(): string {
  const up = import.meta.url.endsWith(".ts") ? "../.." : "../../..";
  const about: unknown = JSON.parse(readFileSync(new URL(`${up}/package.json`, import.meta.url), "utf8"));
  return String(Object(about).version);
}
