import { ConnectError } from "@connectrpc/connect";
import type { Saga, SagaState } from "../../../gen/heddle/saga/v1/saga_pb.ts";
import { messageOf } from "../../base/message-of.ts";
import { type Cli, type Command, type CommandArgs, UsageError } from "../command.ts";
import { nearest } from "../nearest.ts";
import { askOwner, openSagaPeers, type SagaPeer, type SagaPeers } from "../sagas/peers.ts";
import { type Owned, sagaJson, sagaStory, sagaTable, statesByName } from "../sagas/show.ts";
import { serviceToken } from "../service-token.ts";

/** The most that `list` shows of one service. */
const pageSize = 1_000;

/** One of the things that `heddle sagas` does. */
interface Deed {
  /** Whether it needs the id of a saga. */
  readonly one: boolean;
  readonly flags: readonly string[];
  /** Whether it changes something, and so shows a token. */
  readonly writes?: boolean;
  run(cli: Cli, args: CommandArgs, peers: SagaPeers): Promise<number>;
}

const deeds: Readonly<Record<string, Deed>> = {
  list: { one: false, flags: ["state", "stuck", "json"], run: list },
  show: { one: true, flags: ["json"], run: tellOne((peer, { id }) => peer.sagas.getSaga({ id })) },
  retry: { one: true, flags: ["json"], writes: true, run: tellOne((peer, { id }) => peer.sagas.retrySaga({ id })) },
  cancel: {
    one: true,
    flags: ["reason", "json"],
    writes: true,
    run: tellOne((peer, request) => peer.sagas.cancelSaga(request)),
  },
};

/** `heddle sagas`: what services do in several steps with others, and what to do with one that is stuck. */
export const sagas: Command = {
  name: "sagas",
  about: "List and show what takes several steps, such as placing an order; retry or cancel one that is stuck",
  more:
    "list        those that have not ended, oldest first; with --state, those in it; with --stuck, those that wait in vain\n" +
    "show ID     where one is, and what it has been through\n" +
    "retry ID    takes the step it is at once more, now\n" +
    "cancel ID   takes back what it has done; one that is stuck in taking back ends as it is\n\n" +
    "What changes something shows HEDDLE_TOKEN, a token with the scope sagas:write, or one by the keys of development.\n" +
    "Ends with status 1 when something could not be done or asked, or is not there; list --stuck, also when one is stuck.",
  words: "list | show ID | retry ID | cancel ID",
  options: {
    state: { type: "string", about: `list: only those that are ${[...statesByName.keys()].join(", ")}` },
    stuck: { type: "boolean", about: "list: only those that are stuck" },
    reason: { type: "string", about: "cancel: why, for people" },
    json: { type: "boolean", about: "for machines" },
  },
  async run(cli, { flags, words: [verb = "", ...words] }) {
    const deed = deedOf(verb);
    check(verb, deed, { flags, words });
    const token = deed.writes ? await serviceToken(cli, "sagas:write") : undefined;
    const peers = await openSagaPeers(cli, token).catch(messageOf);
    if (typeof peers === "string") {
      cli.out.line(`Nobody can be asked, for discovery does not answer at ${cli.discovery}: ${peers}`);
      return 1;
    }
    try {
      return await deed.run(cli, { flags, words }, peers);
    } catch (reason) {
      if (!(reason instanceof ConnectError)) throw reason;
      cli.out.line(`${cli.out.paint("bad", "It could not be done")}: ${reason.rawMessage}`);
      return 1;
    } finally {
      await peers[Symbol.asyncDispose]();
    }
  },
};

async function list(cli: Cli, { flags }: CommandArgs, { all }: SagaPeers): Promise<number> {
  const state = stateOf(flags);
  const answers = await Promise.all(
    all.map(async ({ name: service, sagas }) => {
      const page = await sagas.listSagas({ pageSize, ...(state !== undefined && { state }) });
      return { found: page.sagas.map((saga): Owned => ({ service, saga })), more: page.nextPageToken !== "" };
    }),
  );
  const found = answers.flatMap((answer) => answer.found);
  if (flags.json) cli.out.line(JSON.stringify(found.map(sagaJson), null, 2));
  else if (found.length === 0) cli.out.line(state === undefined ? "No saga is on its way." : "There is none.");
  else cli.out.line(sagaTable(cli, found));
  if (!flags.json && answers.some(({ more }) => more)) cli.out.line(`\n  and more: the oldest ${pageSize} are shown`);
  return flags.stuck && found.length > 0 ? 1 : 0;
}

interface Request {
  readonly id: string;
  readonly reason: string;
}

/** Asks the service that the saga is of, and shows what the saga is then. */
function tellOne(ask: (peer: SagaPeer, request: Request) => Promise<{ saga?: Saga | undefined }>): Deed["run"] {
  return async (cli, { flags, words: [id = ""] }, peers) => {
    const asked = await askOwner(peers, (peer) => ask(peer, { id, reason: String(flags.reason ?? "") }));
    if (asked?.answer.saga === undefined) {
      cli.out.line(`Nobody knows a saga ${id}. Those on their way: heddle sagas list`);
      return 1;
    }
    const owned = { service: asked.peer.name, saga: asked.answer.saga };
    cli.out.line(flags.json ? JSON.stringify(sagaJson(owned), null, 2) : sagaStory(cli, owned));
    return 0;
  };
}

function stateOf({ state, stuck }: CommandArgs["flags"]): SagaState | undefined {
  if (stuck && state !== undefined) throw new UsageError("heddle sagas list takes --state or --stuck, not both");
  const name = stuck ? "stuck" : state;
  if (name === undefined) return undefined;
  const found = statesByName.get(String(name));
  if (found !== undefined) return found;
  const meant = nearest(String(name), [...statesByName.keys()]);
  const hint = meant ? `: did you mean ${meant}?` : `; it has to be one of ${[...statesByName.keys()].join(", ")}`;
  throw new UsageError(`--state=${name} is no state of a saga${hint}`);
}

function deedOf(verb: string): Deed {
  const deed = Object.hasOwn(deeds, verb) ? deeds[verb] : undefined;
  if (deed !== undefined) return deed;
  if (verb === "") throw new UsageError(`heddle sagas needs to know what: ${Object.keys(deeds).join(", ")}`);
  const meant = nearest(verb, Object.keys(deeds));
  throw new UsageError(`heddle sagas does not know "${verb}"${meant ? `: did you mean ${meant}?` : ""}`);
}

/** Throws a UsageError for words that are missing or too many, and for options that belong to something else. */
function check(verb: string, { one, flags }: Deed, args: CommandArgs): void {
  const shown = `heddle sagas ${verb}${one ? " ID" : ""}`;
  if (one && args.words.length === 0) throw new UsageError(`the saga's ID is missing: ${shown}`);
  const extra = args.words[one ? 1 : 0];
  if (extra !== undefined) throw new UsageError(`"${extra}" is too much: ${shown}`);
  const foreign = Object.keys(args.flags).find((flag) => !flags.includes(flag));
  if (foreign !== undefined) throw new UsageError(`heddle sagas ${verb} takes no --${foreign}`);
  stateOf(args.flags);
}
