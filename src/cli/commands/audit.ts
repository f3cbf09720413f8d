import { readFileSync } from "node:fs";
import { EnvReader } from "../../base/env.ts";
import { messageOf } from "../../base/message-of.ts";
import { readAccepted } from "../audit/accepted-rule.ts";
import { type Audit, audit as auditAll } from "../audit/audit.ts";
import { type Cli, type Command, type CommandArgs, UsageError } from "../command.ts";
import { placesOf, shownPlace, whereAbout, whereOptions } from "../databases/where.ts";
import { type Cell, type Column, table } from "../table.ts";

const names = ["user", "order", "catalog"] as const;

/** `heddle audit`: whether the services' databases agree. */
export const audit: Command = {
  name: "audit",
  about: "Check that no order, event or piece of stock was lost or counted twice",
  more:
    "Reads the databases of user, order and catalog as they are at one instant; writers wait for some milliseconds.\n" +
    "Ends with status 1 when something is wrong, or still under way after --wait.\n" +
    whereAbout,
  options: {
    accepted: { type: "string", about: "file of accepted orders: on each line a request's id, an order's, or both" },
    wait: { type: "string", about: "how long to wait for what is under way: 30s" },
    json: { type: "boolean", about: "for machines" },
    ...whereOptions(names),
  },
  async run(cli, args) {
    const places = placesOf(cli, args, names);
    const waitMs = spanOf(args);
    try {
      const found = await auditAll({ places, accepted: acceptedOf(args), waitMs, clock: cli.clock });
      if (args.flags.json) cli.out.line(JSON.stringify(found, null, 2));
      else show(cli, found);
      return found.verdict === "wrong" || (found.verdict === "under way" && waitMs > 0) ? 1 : 0;
    } catch (reason) {
      if (reason instanceof UsageError) throw reason;
      cli.out.line(
        `${cli.out.paint("bad", "cannot audit")} ${places.map(shownPlace).join(", ")}: ${messageOf(reason)}`,
      );
      return 1;
    }
  },
};

function spanOf({ flags }: CommandArgs): number {
  const read = new EnvReader({ "--wait": flags.wait === undefined ? "0ms" : String(flags.wait) });
  const ms = read.durationMs("--wait");
  if (read.complaints.length > 0) throw new UsageError(read.complaints.join("\n"));
  return ms;
}

function acceptedOf({ flags: { accepted } }: CommandArgs) {
  if (accepted === undefined) return [];
  try {
    return readAccepted(readFileSync(String(accepted), "utf8"));
  } catch (reason) {
    throw new UsageError(`--accepted=${accepted} cannot be read: ${messageOf(reason)}`);
  }
}

const columns: readonly Column[] = [
  { title: "" },
  { title: "rule" },
  { title: "checked", align: "right" },
  { title: "wrong", align: "right" },
  { title: "under way", align: "right" },
  { title: "what has to hold" },
];

function show({ out }: Cli, { verdict, findings }: Audit): void {
  const rows = findings.map(({ rule, says, checked, wrong, underWay }): Cell[] => {
    const mark: Cell =
      wrong > 0
        ? { text: "wrong", tone: "bad" }
        : { text: underWay > 0 ? "wait" : "ok", tone: underWay > 0 ? "warn" : "good" };
    return [mark, rule, String(checked), String(wrong), String(underWay), says];
  });
  out.line(table(columns, rows, { paint: out.paint }));
  for (const { rule, examples } of findings) for (const example of examples) out.line(`\n  ${rule}: ${example}`);
  out.line(`\n${verdicts[verdict](out)}`);
}

const verdicts = {
  right: (out: Cli["out"]) =>
    `${out.paint("good", "RIGHT")}: nothing is lost, nothing is doubled, nothing is under way.`,
  "under way": (out: Cli["out"]) =>
    `${out.paint("warn", "UNDER WAY")}: nothing is wrong so far; ask again, or with --wait 30s.`,
  wrong: (out: Cli["out"]) => `${out.paint("bad", "WRONG")}: the lines above say what.`,
};
