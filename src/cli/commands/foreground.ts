import { pathToFileURL } from "node:url";
import { type Command, UsageError } from "../command.ts";
import { program } from "../plan.ts";

/** `heddle discovery`: the registry alone, in the foreground. */
export const discovery = foreground("discovery", "services/discovery", "Run discovery in the foreground");

/** `heddle gateway`: the gateway alone, in the foreground. */
export const gateway = foreground("gateway", "gateway", "Run the gateway in the foreground");

/** A program of the house run in this very process. It reads its own settings and answers `--help` itself. */
function foreground(name: string, folder: string, about: string): Command {
  return {
    name,
    about,
    passThrough: true,
    async run(_cli, { words }) {
      const odd = words.find((word) => word !== "--help" && word !== "-h");
      if (odd !== undefined)
        throw new UsageError(`heddle ${name} takes its settings from the environment, not "${odd}"`);
      await import(pathToFileURL(program(folder)).href);
      return 0;
    },
  };
}
