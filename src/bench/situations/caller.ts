/** A caller, as a process of its own: `caller PEER STAGE ADDRESSES`. Told loads, it makes their calls and tells how each went. */
import { systemClock } from "../../base/clock.ts";
import { answerParent } from "../answer-parent.ts";
import type { Addresses } from "../load.ts";
import { type StageName, stages } from "./contract.ts";
import { type OpenLoad, runOpenLoad } from "./open-loop.ts";
import { openPeer } from "./peers/open-peer.ts";

const [peer = "", stage = "back", addresses = ""] = process.argv.slice(2);
const ask = await openPeer(peer, stages[stage as StageName], addresses.split(",") as unknown as Addresses);
answerParent({
  ready: {},
  onMessage: async (loads) => {
    const courses = (loads as readonly OpenLoad[]).map(async (load) => {
      await systemClock.sleep(Math.max(0, load.fromAt - systemClock.now()));
      return runOpenLoad(systemClock, load, ask);
    });
    return (await Promise.all(courses)).flat();
  },
});
