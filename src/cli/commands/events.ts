import { messageOf } from "../../base/message-of.ts";
import { type Cli, type Command, type CommandArgs, UsageError } from "../command.ts";
import { rebuildView, resendLog } from "../events/again.ts";
import { listEvents } from "../events/list.ts";
import { replayEvent, skipEvent } from "../events/mend.ts";
import { type EventPeers, openEventPeers } from "../events/peers.ts";
import { showEvent } from "../events/show.ts";
import { eventStatus } from "../events/status.ts";
import { nearest } from "../nearest.ts";
import { serviceToken } from "../service-token.ts";

/** One of the things that `heddle events` does. */
interface Deed {
  /** The words it takes, as they are shown; those in brackets may be left out. */
  readonly words: string;
  readonly flags: readonly string[];
  /** Whether it changes something, and so shows a token. */
  readonly writes?: boolean;
  run(cli: Cli, args: CommandArgs, peers: EventPeers): Promise<number>;
}

const deeds: Readonly<Record<string, Deed>> = {
  list: { words: "[SERVICE]", flags: ["dead", "waiting", "unpublished", "type", "subject", "json"], run: listEvents },
  show: { words: "ID", flags: ["descriptors", "json"], run: showEvent },
  replay: { words: "ID [SERVICE]", flags: [], writes: true, run: replayEvent },
  skip: { words: "ID [SERVICE]", flags: [], writes: true, run: skipEvent },
  status: { words: "", flags: ["json"], run: eventStatus },
  rebuild: { words: "SERVICE SOURCE", flags: [], writes: true, run: rebuildView },
  resend: { words: "SERVICE", flags: ["from"], writes: true, run: resendLog },
};

/** `heddle events`: what services tell each other, and what becomes of it. */
export const events: Command = {
  name: "events",
  about: "List, show, replay and skip events, and tell how far everybody is",
  more:
    "list [SERVICE]          what was published lately; with --dead or --waiting, what a service could not handle\n" +
    "show ID                 what an event says, and who could not handle it\n" +
    "replay ID [SERVICE]     hands it once more to those who could not handle it; dead letters too\n" +
    "skip ID [SERVICE]       gives it up for good there: those of its subject behind it go on\n" +
    "status                  how the logs stand, and how far those are who follow them\n" +
    "rebuild SERVICE SOURCE  empties the view that SERVICE has of the events of SOURCE, and reads them again\n" +
    "resend SERVICE          sends its log to the broker again, --from a position\n\n" +
    "What changes something shows HEDDLE_TOKEN, a token with the scope events:write, or one by the keys of development.\n" +
    "Ends with status 1 when something could not be done or asked, or is not there; status, also when there are dead letters.",
  words: "list | show | replay | skip | status | rebuild | resend …",
  options: {
    dead: { type: "boolean", about: "list: those that were given up" },
    waiting: { type: "boolean", about: "list: those that wait for another try" },
    unpublished: { type: "boolean", about: "list: those that are committed, and not published yet" },
    type: { type: "string", about: "list: only those of this type, such as shop.order.v1.OrderCreated" },
    subject: { type: "string", about: "list: only those about this" },
    from: { type: "string", about: "resend: the first position to send again" },
    descriptors: {
      type: "string",
      about: "show: a file of contracts, as buf build --as-file-descriptor-set writes it",
    },
    json: { type: "boolean", about: "list, show, status: for machines" },
  },
  async run(cli, { flags, words: [verb = "", ...words] }) {
    const deed = deedOf(verb);
    const args = { flags, words };
    check(verb, deed, args);
    const token = deed.writes ? await serviceToken(cli, "events:write") : undefined;
    const peers = await openEventPeers(cli, token).catch(messageOf);
    if (typeof peers === "string") {
      cli.out.line(`Nobody can be asked, for discovery does not answer at ${cli.discovery}: ${peers}`);
      return 1;
    }
    try {
      return await deed.run(cli, args, peers);
    } finally {
      await peers[Symbol.asyncDispose]();
    }
  },
};

function deedOf(verb: string): Deed {
  const deed = Object.hasOwn(deeds, verb) ? deeds[verb] : undefined;
  if (deed !== undefined) return deed;
  if (verb === "") throw new UsageError(`heddle events needs to know what: ${Object.keys(deeds).join(", ")}`);
  const meant = nearest(verb, Object.keys(deeds));
  throw new UsageError(`heddle events does not know "${verb}"${meant ? `: did you mean ${meant}?` : ""}`);
}

/** Throws a UsageError for words that are missing or too many, and for options that belong to something else. */
function check(verb: string, { words, flags }: Deed, args: CommandArgs): void {
  const taken = words === "" ? [] : words.split(" ");
  const needed = taken.filter((word) => !word.startsWith("["));
  const shown = `heddle events ${[verb, ...taken].join(" ")}`;
  if (args.words.length < needed.length) throw new UsageError(`${needed[args.words.length]} is missing: ${shown}`);
  if (args.words.length > taken.length) throw new UsageError(`"${args.words[taken.length]}" is too much: ${shown}`);
  const foreign = Object.keys(args.flags).find((flag) => !flags.includes(flag));
  if (foreign !== undefined) throw new UsageError(`heddle events ${verb} takes no --${foreign}`);
}
