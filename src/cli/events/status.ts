import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { GetEventLogResponse } from "../../../gen/heddle/event/v1/event_service_pb.ts";
import type { Subscription } from "../../../gen/heddle/event/v1/subscription_service_pb.ts";
import type { Cli, CommandArgs } from "../command.ts";
import { spellMs } from "../spell.ts";
import { type Cell, type Column, table } from "../table.ts";
import { type Asked, askAll, type EventPeers } from "./peers.ts";
import { tellSilent } from "./told.ts";

/** How a service stands: its log, and those that it follows. */
interface Standing {
  readonly log: GetEventLogResponse | undefined;
  readonly subscriptions: readonly Subscription[];
}

/** `heddle events status`: how far everybody is. */
export async function eventStatus(cli: Cli, { flags }: CommandArgs, peers: EventPeers): Promise<number> {
  const { out } = cli;
  const asked = await askAll(peers.all, async ({ log, hears }): Promise<Standing> => {
    return {
      log: await log?.getEventLog({}),
      subscriptions: (await hears?.listSubscriptions({}))?.subscriptions ?? [],
    };
  });
  if (flags.json) out.line(JSON.stringify(asJson(asked), plain, 2));
  else if (asked.answers.length === 0 && asked.silent.length === 0) out.line("Nobody has to do with events.");
  else tell(cli, asked);
  if (!flags.json) tellSilent(asked, out);
  const dead = asked.answers.some(({ answer }) => answer.subscriptions.some((each) => each.dead > 0n));
  return dead || asked.silent.length > 0 ? 1 : 0;
}

function tell({ out, clock }: Cli, asked: Asked<Standing>): void {
  const logs = asked.answers.flatMap(({ answer: { log } }) => log ?? []);
  const now = clock.wall();
  if (logs.length > 0)
    out.line(
      table(
        logColumns,
        logs.map((log) => logRow(log, now)),
        { paint: out.paint },
      ),
    );
  const rows = asked.answers.flatMap(({ peer, answer }) =>
    answer.subscriptions.map((each) => subscriptionRow(peer.name, each, behindOf(each, logs))),
  );
  if (rows.length > 0) out.line(`\n${table(subscriptionColumns, rows, { paint: out.paint })}`);
  if (asked.answers.some(({ answer }) => answer.subscriptions.some(({ dead }) => dead > 0n))) {
    out.line("\n  Dead letters: heddle events list --dead; mend what they say, then heddle events replay ID");
  }
}

const logColumns: readonly Column[] = [
  { title: "log of" },
  { title: "travels by" },
  { title: "end", align: "right" },
  { title: "to publish", align: "right" },
  { title: "at most", align: "right" },
  { title: "oldest waits", align: "right" },
];

function logRow(log: GetEventLogResponse, now: number): readonly Cell[] {
  const { source, transport, endPosition, backlog, maxBacklog, oldestWaitingTime } = log;
  const waits = oldestWaitingTime === undefined ? "-" : spellMs(now - timestampMs(oldestWaitingTime));
  const tone = backlog * 2n > maxBacklog ? "bad" : "plain";
  return [source, transport, String(endPosition), { text: String(backlog), tone }, String(maxBacklog), waits];
}

const subscriptionColumns: readonly Column[] = [
  { title: "service" },
  { title: "follows" },
  { title: "travels by" },
  { title: "position", align: "right" },
  { title: "behind", align: "right" },
  { title: "waiting", align: "right" },
  { title: "dead", align: "right" },
  { title: "view" },
];

function subscriptionRow(name: string, subscription: Subscription, behind: bigint | undefined): readonly Cell[] {
  const { source, transport, position, waiting, dead, rebuildable } = subscription;
  const place = transport === "stream" ? String(position) : "-";
  const counted = (count: bigint, tone: "warn" | "bad"): Cell => ({
    text: String(count),
    tone: count > 0n ? tone : "plain",
  });
  const counts = [counted(waiting, "warn"), counted(dead, "bad")];
  return [
    name,
    source,
    transport,
    place,
    behind === undefined ? "-" : String(behind),
    ...counts,
    rebuildable ? "yes" : "no",
  ];
}

/** How many positions are not read yet; nothing where a broker counts, or the log cannot be asked and was not heard of. */
function behindOf({ source, transport, position, endPosition }: Subscription, logs: readonly GetEventLogResponse[]) {
  if (transport !== "stream") return undefined;
  const end = logs.find((log) => log.source === source)?.endPosition ?? endPosition;
  return end > position ? end - position : 0n;
}

function asJson({ answers, silent }: Asked<Standing>) {
  const services = answers.map(({ peer, answer }) => ({ service: peer.name, ...answer }));
  return { services, silent: silent.map(({ peer, why }) => ({ service: peer.name, why })) };
}

function plain(key: string, value: unknown): unknown {
  if (key.startsWith("$")) return undefined;
  return typeof value === "bigint" ? String(value) : value;
}
