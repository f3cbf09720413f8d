import type { EnvReader } from "../base/env.ts";
import { optionsOf } from "./arguments.ts";
import type { Command } from "./command.ts";

/** What `heddle --help` shows. */
export function overview(commands: readonly Command[], settings: EnvReader): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const verbs = commands.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`);
  return [
    "heddle: a gRPC-first service mesh that lives inside a TypeScript process",
    "",
    "Usage: heddle <command> [options]",
    "",
    ...verbs,
    "",
    "heddle <command> --help tells more; heddle --version says which one this is.",
    "",
    "Settings are environment variables; these are their defaults:",
    "",
    settings.table(),
  ].join("\n");
}

/** What `heddle <command> --help` shows. */
export function manual(command: Command): string {
  const options = Object.entries(optionsOf(command)).map(([name, { short, type, about }]) => {
    return { flag: `${short ? `-${short}, ` : "    "}--${name}${type === "string" ? " <value>" : ""}`, about };
  });
  const width = Math.max(...options.map(({ flag }) => flag.length));
  return [
    `Usage: heddle ${command.name}${command.words ? ` ${command.words}` : ""} [options]`,
    "",
    command.about,
    ...(command.more ? [command.more] : []),
    "",
    ...options.map(({ flag, about }) => `  ${flag.padEnd(width)}  ${about}`),
  ].join("\n");
}
