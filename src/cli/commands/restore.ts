import { resolve } from "node:path";
import { BackupError } from "../backup/backup-error.ts";
import { restore as restoreAll } from "../backup/restore.ts";
import { type Command, UsageError } from "../command.ts";
import { keepers, placesOf, whereAbout, whereOptions } from "../databases/where.ts";
import { typed } from "../plan.ts";
import { isAlive } from "../process-mark.ts";
import { RunFile } from "../run-file.ts";

/** `heddle restore`: puts a backup where the databases are. */
export const restore: Command = {
  name: "restore",
  about: "Restore a backup into an empty system whose services do not run: heddle restore <folder>",
  more:
    "The backup is verified first; all databases are restored, or none. Rows that are there are not touched unless --force\n" +
    "says so. Sagas and events go on from where they stood when the services start.\n" +
    whereAbout,
  words: "<folder>",
  options: {
    force: { type: "boolean", about: "replace what is there" },
    json: { type: "boolean", about: "for machines" },
    ...whereOptions(keepers),
  },
  async run(cli, args) {
    const [folder, ...more] = args.words;
    if (folder === undefined || more.length > 0)
      throw new UsageError("heddle restore needs one folder: see heddle backup list");
    const places = placesOf(cli, args, keepers);
    const { out, env, clock, home } = cli;
    const running = (new RunFile(home).read()?.parts ?? []).filter(isAlive);
    try {
      if (running.length > 0) {
        const names = running.map(({ name, pid }) => `${name} (process ${pid})`).join(", ");
        throw new BackupError("IN_USE", `${names} still run: stop them first, with ${typed("down")}`);
      }
      const manifest = await restoreAll({
        folder: resolve(folder),
        places,
        force: args.flags.force === true,
        env,
        clock,
      });
      const names = manifest.databases.flatMap((each) => each.names).join(", ");
      if (args.flags.json) out.line(JSON.stringify(manifest, null, 2));
      else
        out.line(
          `${out.paint("good", "restored:")} ${names}, as of ${manifest.takenAt}. Start the services: ${typed("up")}`,
        );
      return 0;
    } catch (reason) {
      if (!(reason instanceof BackupError)) throw reason;
      out.line(`${out.paint("bad", "nothing was restored:")} ${reason.message}`);
      return 1;
    }
  },
};
