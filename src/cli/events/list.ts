import { toJson } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventSchema } from "../../../gen/heddle/event/v1/event_pb.ts";
import {
  type ParkedEvent,
  ParkedEventSchema,
  ParkedState,
} from "../../../gen/heddle/event/v1/subscription_service_pb.ts";
import { type Cli, type CommandArgs, UsageError } from "../command.ts";
import { type Cell, type Column, table } from "../table.ts";
import { askAll, type EventPeer, type EventPeers } from "./peers.ts";
import { inShort, spellTime, tellSilent } from "./told.ts";

const pageSize = 50;
/** How many parked events are looked through for a type or a subject. */
const maxLooked = 10_000;

/** `heddle events list`: what was published lately, or what waits somewhere. */
export async function listEvents(cli: Cli, { flags, words }: CommandArgs, peers: EventPeers): Promise<number> {
  const [name, ...more] = words;
  if (more.length > 0) throw new UsageError(`heddle events list takes one service, and "${more[0]}" is another`);
  const isParked = Boolean(flags.dead || flags.waiting);
  if (isParked && flags.unpublished) {
    throw new UsageError(
      "--unpublished is about what is sent, --dead and --waiting about what came: ask for one of them",
    );
  }
  const asked = peers.named(name);
  return isParked ? listParked(cli, flags, asked) : listPublished(cli, flags, asked);
}

type Flags = CommandArgs["flags"];

async function listPublished({ out }: Cli, flags: Flags, peers: readonly EventPeer[]): Promise<number> {
  const wish = {
    pageSize,
    type: text(flags.type),
    subject: text(flags.subject),
    unpublished: Boolean(flags.unpublished),
  };
  const found = await askAll(peers, async ({ log }) => (await log?.listEvents(wish))?.events ?? []);
  const events = found.answers.flatMap(({ answer }) => answer).sort((a, b) => at(b) - at(a));
  if (flags.json)
    out.line(
      JSON.stringify(
        events.map((event) => toJson(EventSchema, event)),
        null,
        2,
      ),
    );
  else if (events.length === 0) out.line("There are no such events.");
  else out.line(table(published, events.map(publishedRow), { paint: out.paint }));
  tellSilent(found, out);
  return found.silent.length > 0 ? 1 : 0;
}

const published: readonly Column[] = [
  { title: "time (UTC)" },
  { title: "source" },
  { title: "position", align: "right" },
  { title: "type" },
  { title: "subject" },
  { title: "id" },
];

function publishedRow({ time, source, position, type, subject, id }: Event): readonly Cell[] {
  const place: Cell = position === 0n ? { text: "waits", tone: "warn" } : String(position);
  return [spellTime(time), source, place, type, subject, id];
}

async function listParked({ out }: Cli, flags: Flags, peers: readonly EventPeer[]): Promise<number> {
  const found = await askAll(peers, (peer) => parkedOf(peer, flags));
  const rows = found.answers.flatMap(({ peer, answer }) => answer.map((parked) => ({ peer, parked })));
  if (flags.json) {
    const all = rows.map(({ peer, parked }) => ({ service: peer.name, ...Object(toJson(ParkedEventSchema, parked)) }));
    out.line(JSON.stringify(all, null, 2));
  } else if (rows.length === 0) out.line("There are no such events.");
  else out.line(table(parkedColumns, rows.map(parkedRow), { paint: out.paint }));
  tellSilent(found, out);
  return found.silent.length > 0 ? 1 : 0;
}

/** Those of a service that are asked for: lists know states only. */
async function parkedOf({ hears }: EventPeer, flags: Flags): Promise<readonly ParkedEvent[]> {
  const found: ParkedEvent[] = [];
  const state =
    flags.dead && flags.waiting ? ParkedState.UNSPECIFIED : flags.dead ? ParkedState.DEAD : ParkedState.WAITING;
  let pageToken = "";
  for (let looked = 0; hears !== undefined && looked < maxLooked && found.length < pageSize; ) {
    const page = await hears.listParkedEvents({ pageSize: 1_000, pageToken, state });
    found.push(...page.parkedEvents.filter(({ event }) => matches(event, flags)));
    looked += page.parkedEvents.length;
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  return found.slice(0, pageSize);
}

const parkedColumns: readonly Column[] = [
  { title: "service" },
  { title: "since (UTC)" },
  { title: "state" },
  { title: "tries", align: "right" },
  { title: "type" },
  { title: "subject" },
  { title: "id" },
  { title: "reason" },
];

function parkedRow({ peer, parked }: { readonly peer: EventPeer; readonly parked: ParkedEvent }): readonly Cell[] {
  const { event, state, attempts, reason, parkedTime } = parked;
  const told: Cell = state === ParkedState.DEAD ? { text: "dead", tone: "bad" } : { text: "waits", tone: "warn" };
  const { type = "", subject = "", id = "" } = event ?? {};
  return [peer.name, spellTime(parkedTime), told, String(attempts), type, subject, id, inShort(reason)];
}

function matches(event: Event | undefined, { type, subject }: Flags): boolean {
  return (!type || event?.type === type) && (!subject || event?.subject === subject);
}

const text = (flag: string | boolean | undefined) => (typeof flag === "string" ? flag : "");
const at = ({ time }: Event) => (time === undefined ? 0 : timestampMs(time));
