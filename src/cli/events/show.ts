import { type FileRegistry, toJson } from "@bufbuild/protobuf";
import { type Event, EventSchema } from "../../../gen/heddle/event/v1/event_pb.ts";
import { ParkedEventSchema, ParkedState } from "../../../gen/heddle/event/v1/subscription_service_pb.ts";
import { traceIdIn } from "../../call/traceparent.ts";
import type { Cli, CommandArgs } from "../command.ts";
import type { Screen } from "../screen.ts";
import { type FoundEvent, findEvent, tellMissing } from "./find.ts";
import { payloadOf, readContracts } from "./payload.ts";
import type { EventPeers } from "./peers.ts";
import { spellTime, tellSilent } from "./told.ts";

/** `heddle events show ID`: what an event says, and who could not handle it. */
export async function showEvent(cli: Cli, { flags, words }: CommandArgs, peers: EventPeers): Promise<number> {
  const { out } = cli;
  const [id = ""] = words;
  const contracts = await readContracts(typeof flags.descriptors === "string" ? flags.descriptors : undefined);
  const found = await findEvent(peers.all, id);
  const event = found.published[0] ?? found.parked[0]?.parked.event;
  if (event === undefined) out.line(tellMissing(id, found));
  else if (flags.json) out.line(JSON.stringify(asJson(event, found, contracts), null, 2));
  else {
    tellEvent(event, contracts, out);
    tellParked(found, out);
  }
  tellSilent(found.asked, out);
  return event === undefined || found.asked.silent.length > 0 ? 1 : 0;
}

function tellEvent(event: Event, contracts: FileRegistry, out: Screen): void {
  const { id, type, version, subject, source, position, slot, time, traceParent } = event;
  const traceId = traceIdIn(traceParent);
  const place = position === 0n ? out.paint("warn", "not published yet") : `position ${position}, slot ${slot}`;
  const facts = {
    id,
    type: `${type}, version ${version}`,
    subject,
    source,
    log: place,
    time: `${spellTime(time)} UTC`,
  };
  const cause = traceId === undefined ? {} : { trace: `${traceId} (heddle explain ${traceId})` };
  for (const [name, value] of Object.entries({ ...facts, ...cause }))
    out.line(`  ${out.paint("dim", name.padEnd(8))} ${value}`);
  const payload = payloadOf(event, contracts);
  out.line("json" in payload ? `\n${JSON.stringify(payload.json, null, 2)}` : `\n  ${out.paint("bad", payload.why)}`);
}

function tellParked({ parked }: FoundEvent, out: Screen): void {
  for (const { peer, parked: one } of parked) {
    const fate =
      one.state === ParkedState.DEAD ? out.paint("bad", "given up") : out.paint("warn", "waiting for another try");
    const next = one.nextTime === undefined ? "" : `, next at ${spellTime(one.nextTime)}`;
    out.line(`\n  ${peer.name}: ${fate} after ${one.attempts} tries, since ${spellTime(one.parkedTime)}${next}`);
    out.line(`  ${one.reason}`);
  }
}

function asJson(event: Event, { parked }: FoundEvent, contracts: FileRegistry) {
  const waits = parked.map(({ peer, parked }) => {
    const { event: _, ...rest } = Object(toJson(ParkedEventSchema, parked));
    return { service: peer.name, ...rest };
  });
  return { event: toJson(EventSchema, event), payload: payloadOf(event, contracts), parked: waits };
}
