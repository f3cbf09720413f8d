import { messageOf } from "../../base/message-of.ts";
import { type Cli, type CommandArgs, UsageError } from "../command.ts";
import type { EventPeers } from "./peers.ts";

/** `heddle events rebuild SERVICE SOURCE`: makes the view anew that a service has of another's events. */
export async function rebuildView({ out }: Cli, { words }: CommandArgs, peers: EventPeers): Promise<number> {
  const [name = "", source = ""] = words;
  const [peer] = peers.named(name);
  if (peer?.hears === undefined) throw new UsageError(`${name} follows nobody`);
  const asked = peer.hears.rebuildSubscription({ source });
  return told(
    out,
    asked,
    ({ endPosition }) =>
      `${name} has emptied what it made of the events of ${source}, and reads them again up to position ${endPosition}. How far it is: heddle events status`,
  );
}

/** `heddle events resend SERVICE --from POSITION`: has a log sent to the broker once more. */
export async function resendLog({ out }: Cli, { words, flags }: CommandArgs, peers: EventPeers): Promise<number> {
  const [name = ""] = words;
  const from = String(flags.from ?? "");
  if (!/^[1-9]\d{0,17}$/.test(from)) {
    throw new UsageError("heddle events resend needs --from, the first position to send again: --from 1 sends all");
  }
  const [peer] = peers.named(name);
  if (peer?.log === undefined) throw new UsageError(`${name} publishes nothing`);
  const asked = peer.log.resendEvents({ fromPosition: BigInt(from) });
  return told(
    out,
    asked,
    ({ events }) => `${name} sends ${events} events again. Those who have seen them take no notice.`,
  );
}

async function told<T>(out: Cli["out"], asked: Promise<T>, say: (answer: T) => string): Promise<number> {
  try {
    out.line(say(await asked));
    return 0;
  } catch (reason) {
    out.line(out.paint("bad", messageOf(reason)));
    return 1;
  }
}
