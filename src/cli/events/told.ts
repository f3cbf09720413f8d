import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Screen } from "../screen.ts";
import type { Asked } from "./peers.ts";

/** A moment as lists show it: "2026-11-21 13:05:59.123", by UTC; "-" for none. */
export function spellTime(time: Timestamp | undefined): string {
  return time === undefined ? "-" : timestampDate(time).toISOString().replace("T", " ").replace("Z", "");
}

/** Says who could not be asked, and why. */
export function tellSilent({ silent }: Asked<unknown>, out: Screen): void {
  for (const { peer, why } of silent) out.line(`\n  ${peer.name} ${out.paint("bad", "could not be asked")}: ${why}`);
}

/** The first line of a reason, no longer than a line of a screen has room for. */
export function inShort(reason: string): string {
  const [line = ""] = reason.split("\n");
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
