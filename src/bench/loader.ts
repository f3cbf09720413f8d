/** What loads a server, as a process of its own: `node loader.ts WHAT PORT`. Told a load, it makes it. */
import { answerParent } from "./answer-parent.ts";
import { BulkCaller } from "./bulk-caller.ts";
import { HttpCaller } from "./http-caller.ts";
import { LeanCaller } from "./lean-caller.ts";
import type { Load } from "./load.ts";
import { type AskName, asks, type RestAskName, restAsks } from "./sample.ts";

const [what = "", port = ""] = process.argv.slice(2);

function callerOf(port: number) {
  if (what === "echo") return new BulkCaller(port, what);
  return what in asks ? new LeanCaller(port, what as AskName) : new HttpCaller(port, restAsks[what as RestAskName]);
}

const caller = callerOf(Number(port));
answerParent({ ready: {}, onMessage: (load) => caller.run(load as Load) });
