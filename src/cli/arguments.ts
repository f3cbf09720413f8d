import { parseArgs } from "node:util";
import { type Command, type CommandArgs, type CommandOption, UsageError } from "./command.ts";
import { nearest } from "./nearest.ts";

/** Every command has it. */
const help: CommandOption = { type: "boolean", short: "h", about: "show this" };

/** The options of a command, the common ones included. */
export function optionsOf(command: Command): Readonly<Record<string, CommandOption>> {
  return { ...command.options, help };
}

/** Reads what was typed after a command's name. Throws a UsageError that names what is wrong with it. */
export function readArguments(command: Command, args: readonly string[]): CommandArgs {
  if (command.passThrough) return { flags: {}, words: args };
  const options = optionsOf(command);
  const { values, positionals, tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "option") checkOption(command, token);
    if (token.kind === "positional" && command.words === undefined) {
      throw new UsageError(`heddle ${command.name} takes no "${token.value}"`);
    }
  }
  return { flags: values as CommandArgs["flags"], words: positionals };
}

/** The command of a name. Throws a UsageError with the nearest one when there is none. */
export function findCommand(commands: readonly Command[], name: string): Command {
  const found = commands.find((command) => command.name === name);
  if (found !== undefined) return found;
  const meant = commands.map((command) => command.name);
  throw new UsageError(`heddle has no command "${name}"${didYouMean(nearest(name, meant))}`);
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
}

function checkOption(command: Command, { name, rawName, value }: OptionToken): void {
  const options = optionsOf(command);
  const option = options[name];
  if (option === undefined) {
    const meant = nearest(name, Object.keys(options));
    throw new UsageError(`heddle ${command.name} has no option ${rawName}${didYouMean(meant && `--${meant}`)}`);
  }
  if (option.type === "string" && value === undefined) throw new UsageError(`${rawName} needs a value`);
  if (option.type === "boolean" && value !== undefined) throw new UsageError(`${rawName} takes no value`);
}

const didYouMean = (name: string | undefined) => (name ? `: did you mean ${name}?` : "");
