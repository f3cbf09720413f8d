/** A caller, as a process of its own: `caller PEER STAGE ADDRESSES`. Told a load, it makes the calls and tells how each went. */
import { systemClock } from "../../base/clock.ts";
import { answerParent } from "../answer-parent.ts";
import type { Addresses } from "../load.ts";
import { type StageName, stages } from "./contract.ts";
import { type OpenLoad, runOpenLoad } from "./open-loop.ts";
import { openPeer } from "./peers/open-peer.ts";

const [peer = "", stage = "back", addresses = ""] = process.argv.slice(2);
const ask = await openPeer(peer, stages[stage as StageName], addresses.split(",") as unknown as Addresses);
answerParent({ ready: {}, onMessage: (load) => runOpenLoad(systemClock, load as OpenLoad, ask) });
