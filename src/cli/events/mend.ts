import { messageOf } from "../../base/message-of.ts";
import type { Cli, CommandArgs } from "../command.ts";
import { findEvent, tellMissing } from "./find.ts";
import type { EventPeer, EventPeers } from "./peers.ts";
import { tellSilent } from "./told.ts";

/** `heddle events replay ID [SERVICE]`: hands an event to those who could not handle it, once more. */
export function replayEvent(cli: Cli, args: CommandArgs, peers: EventPeers): Promise<number> {
  return mend(cli, args, { peers, done: "handled", act: ({ hears }, id) => hears?.replayParkedEvent({ id }) });
}

/** `heddle events skip ID [SERVICE]`: gives an event up for good. */
export function skipEvent(cli: Cli, args: CommandArgs, peers: EventPeers): Promise<number> {
  return mend(cli, args, { peers, done: "given up", act: ({ hears }, id) => hears?.skipParkedEvent({ id }) });
}

interface Mending {
  readonly peers: EventPeers;
  readonly done: string;
  readonly act: (peer: EventPeer, id: string) => Promise<unknown> | undefined;
}

async function mend({ out }: Cli, { words }: CommandArgs, { peers, done, act }: Mending): Promise<number> {
  const [id = "", service] = words;
  const found = await findEvent(peers.named(service), id);
  if (found.parked.length === 0) out.line(tellMissing(id, found, true));
  let failed = found.parked.length === 0 || found.asked.silent.length > 0;
  for (const { peer } of found.parked) {
    try {
      await act(peer, id);
      out.line(`${peer.name}: ${out.paint("good", done)}`);
    } catch (reason) {
      failed = true;
      out.line(`${peer.name}: ${out.paint("bad", messageOf(reason))}`);
    }
  }
  tellSilent(found.asked, out);
  return failed ? 1 : 0;
}
