import { traceIdIn } from "../../call/traceparent.ts";
import type { CallSummary, ExplainedCall } from "../../mesh/explained-call.ts";
import { askCalls, peersOf } from "../ask-calls.ts";
import { callTree } from "../call-tree.ts";
import { type Command, UsageError } from "../command.ts";
import { showLatest, showSilent, showTree } from "../show-calls.ts";

/** `heddle explain`: what happened to the calls of a trace, by what every process remembers of those it made. */
export const explain: Command = {
  name: "explain",
  about: "Tell what happened to the calls of a trace; without one, list the latest eventful calls",
  more:
    "A trace id is what the gateway's answers have as heddle-trace-id; a whole traceparent will do. Every process\n" +
    "remembers the latest 1,024 calls that it made, and as many of those that failed, were repeated or waited.\n" +
    "Ends with status 1 when nobody remembers the trace.",
  words: "[trace id]",
  options: { json: { type: "boolean", about: "for machines" } },
  async run(cli, { flags, words }) {
    const { out, discovery } = cli;
    const traceId = askedFor(words);
    const peers = await peersOf(cli).catch(String);
    if (typeof peers === "string") {
      out.line(`Nobody can be asked, for discovery does not answer at ${discovery}: ${peers}`);
      return 1;
    }
    if (traceId === undefined) {
      const { calls, silent } = await askCalls<CallSummary>(peers, "/calls");
      const latest = calls.toSorted((a, b) => b.call.startedAt - a.call.startedAt);
      if (flags.json) out.line(JSON.stringify({ calls: latest, silent }, null, 2));
      else {
        showLatest(latest, out);
        showSilent(silent, out);
      }
      return 0;
    }
    const { calls, silent } = await askCalls<ExplainedCall>(peers, `/calls?trace=${traceId}`);
    const tree = callTree(calls);
    if (flags.json) out.line(JSON.stringify({ traceId, calls: tree, silent }, null, 2));
    else {
      showTree(traceId, tree, out);
      showSilent(silent, out);
    }
    return tree.length === 0 ? 1 : 0;
  },
};

/** The trace that was typed; `undefined` where none was. */
function askedFor(words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined;
  const [word = "", ...more] = words;
  const traceId = more.length === 0 ? traceIdIn(word) : undefined;
  if (traceId !== undefined) return traceId;
  const like = "32 hexadecimal digits, such as 0af7651916cd43dd8448eb211c80319c, or a traceparent";
  throw new UsageError(`"${words.join(" ")}" is no trace id: ${like}`);
}
