import { Code, ConnectError } from "@connectrpc/connect";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import type { ParkedEvent } from "../../../gen/heddle/event/v1/subscription_service_pb.ts";
import { spellList } from "../spell.ts";
import { type Asked, askAll, type EventPeer } from "./peers.ts";

/** Where an event is known: in a log, and with those who could not handle it. */
export interface FoundEvent {
  readonly published: readonly Event[];
  readonly parked: readonly { readonly peer: EventPeer; readonly parked: ParkedEvent }[];
  readonly asked: Asked<unknown>;
}

/** Looks for an event everywhere. */
export async function findEvent(peers: readonly EventPeer[], id: string): Promise<FoundEvent> {
  const asked = await askAll(peers, async ({ log, hears }) => ({
    event: log && (await orMissing(log.getEvent({ id })))?.event,
    parked: hears && (await orMissing(hears.getParkedEvent({ id })))?.parkedEvent,
  }));
  return {
    published: asked.answers.flatMap(({ answer: { event } }) => event ?? []),
    parked: asked.answers.flatMap(({ peer, answer: { parked } }) => (parked ? { peer, parked } : [])),
    asked,
  };
}

/** Says where an event was looked for in vain. */
export function tellMissing(id: string, { asked }: FoundEvent, isParked = false): string {
  const [logs, hearers] = [(peer: EventPeer) => peer.log, (peer: EventPeer) => peer.hears].map((has) =>
    asked.answers
      .map(({ peer }) => peer)
      .filter(has)
      .map(({ name }) => name),
  );
  const among = `what ${spellList(hearers ?? []) || "nobody"} could not take in`;
  if (isParked) return `There is no event ${id} among ${among}: it was handled there, or given up, or never came.`;
  return `There is no event ${id}: neither in the log of ${spellList(logs ?? []) || "anybody"}, nor among ${among}.`;
}

async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (reason) {
    if (reason instanceof ConnectError && reason.code === Code.NotFound) return undefined;
    throw reason;
  }
}
