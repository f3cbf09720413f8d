import { join, resolve } from "node:path";
import { heddleVersion } from "../../app/version.ts";
import { EnvReader } from "../../base/env.ts";
import { messageOf } from "../../base/message-of.ts";
import { backUp } from "../backup/back-up.ts";
import { BackupError } from "../backup/backup-error.ts";
import { backupsIn, type KnownBackup, prune } from "../backup/backups.ts";
import { spellBytes } from "../backup/spells.ts";
import { verifyBackup } from "../backup/verify.ts";
import { type Cli, type Command, type CommandArgs, UsageError } from "../command.ts";
import { keepers, placesOf, whereAbout, whereOptions } from "../databases/where.ts";

import { spellMs } from "../spell.ts";
import { type Column, table } from "../table.ts";

/** `heddle backup`: copies of all databases, as of one instant. */
export const backup: Command = {
  name: "backup",
  about: "Back up every database, as of one instant; or: heddle backup verify <folder>, heddle backup list",
  more:
    "Services go on meanwhile; who writes waits for some milliseconds. PostgreSQL needs its client programs in PATH.\n" +
    "`verify` reads a backup to its end and ends with status 1 when anything is wrong with it. `list` shows those there are.\n" +
    whereAbout,
  words: "[verify <folder> | list]",
  options: {
    to: { type: "string", about: "folder of backups (backups/ in HEDDLE_HOME)" },
    keep: { type: "string", about: "how many to keep: after a good one older ones are removed; default all" },
    every: { type: "string", about: "make one now and then one each such span, until interrupted: 1h" },
    within: { type: "string", about: "with list: end with status 1 unless there is one that is younger: 2h" },
    json: { type: "boolean", about: "for machines" },
    ...whereOptions(keepers),
  },
  async run(cli, args) {
    const [word, folder, ...more] = args.words;
    try {
      if (word === undefined) return await make(cli, args);
      if (word === "list" && folder === undefined) return list(cli, args);
      if (word === "verify" && folder !== undefined && more.length === 0) return await verify(cli, resolve(folder));
    } catch (reason) {
      if (!(reason instanceof BackupError)) throw reason;
      cli.out.line(`${cli.out.paint("bad", "failed:")} ${reason.message}`);
      return 1;
    }
    throw new UsageError(
      `heddle backup takes no "${args.words.join(" ")}": it is backup, backup verify <folder>, or backup list`,
    );
  },
};

const folderOf = ({ home }: Cli, { flags: { to } }: CommandArgs) => (to ? resolve(String(to)) : join(home, "backups"));

async function make(cli: Cli, args: CommandArgs): Promise<number> {
  const { keep, everyMs } = numbersOf(args);
  const places = placesOf(cli, args, keepers);
  const to = folderOf(cli, args);
  const once = () => makeOne(cli, args, { places, to, keep });
  if (everyMs === 0) return once();
  for (;;) {
    const status = await once().catch((reason) => failed(cli, reason));
    await cli.clock.sleep(status === 0 ? everyMs : Math.min(everyMs, retryMs), cli.interrupted).catch(() => {});
    if (cli.interrupted.aborted) return 0;
  }
}

/** A scheduled backup that failed is tried again soon. */
const retryMs = 60_000;

function failed({ out, clock }: Cli, reason: unknown): number {
  out.line(`${new Date(clock.wall()).toISOString()} ${out.paint("bad", "failed:")} ${messageOf(reason)}`);
  return 1;
}

interface Making {
  readonly places: ReturnType<typeof placesOf>;
  readonly to: string;
  readonly keep: number;
}

async function makeOne(cli: Cli, { flags }: CommandArgs, { places, to, keep }: Making): Promise<number> {
  const { env, clock, out } = cli;
  const begunAt = clock.now();
  const { folder, manifest } = await backUp({ places, to, version: heddleVersion, env, clock });
  const removed = keep > 0 ? prune(to, keep) : [];
  if (flags.json) out.line(JSON.stringify({ folder, removed, ...manifest }, null, 2));
  else {
    const { databases, absent } = manifest;
    const bytes = databases.reduce((sum, each) => sum + each.bytes, 0);
    const names = databases.flatMap((each) => each.names).join(", ");
    out.line(
      `${folder}: ${names}; ${spellBytes(bytes)} in ${spellMs(clock.now() - begunAt)}, as of ${manifest.takenAt}`,
    );
    if (absent.length > 0) out.line(`  without ${absent.join(", ")}: there is no database yet`);
    for (const each of removed) out.line(`  removed ${each}`);
  }
  return 0;
}

function numbersOf({ flags }: CommandArgs) {
  const text = (name: string) => (flags[name] === undefined ? "" : String(flags[name]));
  const read = new EnvReader({ "--keep": text("keep"), "--every": text("every"), "--within": text("within") });
  const numbers = {
    keep: read.int("--keep", 0, "", { min: text("keep") === "" ? 0 : 1 }),
    everyMs: read.durationMs("--every", 0),
    withinMs: read.durationMs("--within", 0),
  };
  if (flags.every !== undefined && numbers.everyMs < 1_000 && read.complaints.length === 0) {
    throw new UsageError(`--every=${flags.every} has to be a second or more, with its unit: "30m", "1h"`);
  }
  if (read.complaints.length > 0) throw new UsageError(read.complaints.join("\n"));
  return numbers;
}

async function verify({ out, env }: Cli, folder: string): Promise<number> {
  const { databases, takenAt } = await verifyBackup(folder, env);
  const rows = databases.flatMap((each) => Object.values(each.rows)).reduce((sum, count) => sum + count, 0);
  const names = databases.flatMap((each) => each.names).join(", ");
  out.line(`${out.paint("good", "whole:")} ${folder}, as of ${takenAt}: ${names}; ${rows} rows`);
  return 0;
}

const columns: readonly Column[] = [
  { title: "taken" },
  { title: "databases" },
  { title: "size", align: "right" },
  { title: "folder" },
];

function list(cli: Cli, args: CommandArgs): number {
  const { out, clock } = cli;
  const to = folderOf(cli, args);
  const { withinMs } = numbersOf(args);
  const found = backupsIn(to);
  if (args.flags.json) out.line(JSON.stringify(found, null, 2));
  else if (found.length === 0) out.line(`${to} holds no backup.`);
  else out.line(table(columns, found.map(rowOf), { paint: out.paint }));
  const last = found.findLast(({ manifest }) => manifest !== undefined)?.manifest;
  const isYoung = last !== undefined && clock.wall() - Date.parse(last.takenAt) <= withinMs;
  return withinMs > 0 && !isYoung ? 1 : 0;
}

function rowOf({ folder, manifest, problem }: KnownBackup) {
  if (manifest === undefined) return ["?", { text: problem ?? "", tone: "bad" as const }, "", folder];
  const bytes = manifest.databases.reduce((sum, each) => sum + each.bytes, 0);
  return [manifest.takenAt, manifest.databases.flatMap(({ names }) => names).join(" "), spellBytes(bytes), folder];
}
