import { join } from "node:path";
import { type Cli, type Command, type CommandArgs, UsageError } from "../command.ts";
import { type LogFile, logSources, openLog } from "../log-file.ts";
import { mergeLines, spellLine } from "../log-line.ts";
import { nearest } from "../nearest.ts";
import { typed } from "../plan.ts";

/** Between two looks for what is new. */
const pauseMs = 200;

/** `heddle logs`: what the parts say, merged by time. */
export const logs: Command = {
  name: "logs",
  about: "Show what the parts say, merged by time",
  more: 'A name is a part ("user") or one of its replicas ("user-8011"). Without one, all are shown. Times are UTC.',
  words: "[name…]",
  options: {
    follow: { type: "boolean", short: "f", about: "go on showing what is new, until Ctrl-C" },
    lines: { type: "string", short: "n", default: "100", about: "how many of the last lines to show (100)" },
  },
  async run(cli, args) {
    const { folder, chosen, wanted } = choose(cli, args);
    if (chosen.length === 0) {
      cli.out.line(`There are no logs in ${folder}. Start something: ${typed("up")}`);
      return 0;
    }
    const files = new Map(chosen.map((source) => [source, openLog(folder, source)]));
    const show = (last: number) => showNews(cli, [...files.values()], last);
    show(lineCount(args));
    while (args.flags.follow && !cli.interrupted.aborted) {
      await cli.clock.sleep(pauseMs, cli.interrupted).catch(() => {}); // Ctrl-C: the loop ends
      for (const source of logSources(folder).filter(wanted)) {
        if (!files.has(source)) files.set(source, openLog(folder, source));
      }
      show(Number.POSITIVE_INFINITY);
    }
    return 0;
  },
};

/** The logs that were asked for: those there are, and how to know those that come later. */
function choose({ home }: Cli, { words }: CommandArgs) {
  const folder = join(home, "logs");
  const sources = logSources(folder);
  for (const word of words) {
    if (sources.some((source) => isNamed(source, word))) continue;
    const names = [...new Set(sources.flatMap((source) => [partOf(source), source]))];
    const meant = nearest(word, names);
    const all = names.length > 0 ? `; there are ${names.join(", ")}` : "";
    throw new UsageError(`there is no log of "${word}" in ${folder}${meant ? `: did you mean ${meant}?` : all}`);
  }
  const wanted = (source: string) => words.length === 0 || words.some((word) => isNamed(source, word));
  return { folder, chosen: sources.filter(wanted), wanted };
}

const partOf = (source: string) => source.replace(/-\d+$/, "");
const isNamed = (source: string, word: string) => source === word || partOf(source) === word;

function lineCount({ flags }: CommandArgs): number {
  const lines = String(flags.lines ?? "100");
  if (!/^\d+$/.test(lines)) throw new UsageError(`--lines has to be a whole number, not "${lines}"`);
  return Number(lines);
}

function showNews({ out }: Cli, files: readonly LogFile[], last: number): void {
  const width = Math.max(...files.map((file) => file.source.length));
  const lines = mergeLines(files.map((file) => file.read()));
  const shown = Number.isFinite(last) ? lines.slice(lines.length - Math.min(last, lines.length)) : lines;
  for (const line of shown) out.line(spellLine(line, { paint: out.paint, width }));
}
