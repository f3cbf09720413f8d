import type { ExplainedAttempt, ExplainedCall } from "../mesh/explained-call.ts";
import type { Made } from "./ask-calls.ts";

/** A call, who made it, and the calls that were made on its behalf. */
export interface CallNode extends Made<ExplainedCall> {
  readonly below: CallNode[];
}

/** By so much calendars of processes may differ, and be rounded, and still be believed. In milliseconds. */
const toleranceMs = 3;

/**
 * The calls of one trace by who called whom, each list in the order in which its calls began. No span is kept that would
 * say so: a call belongs below another if it was made by the endpoint of an attempt while that attempt was under way,
 * and below the last to begin of several.
 */
export function callTree(calls: readonly Made<ExplainedCall>[]): readonly CallNode[] {
  const nodes: CallNode[] = calls
    .toSorted((a, b) => a.call.startedAt - b.call.startedAt)
    .map((made) => ({ ...made, below: [] }));
  const parents = new Map<CallNode, CallNode>();
  const place = (node: CallNode, among: readonly CallNode[]) => {
    const parent = among.findLast((other) => mayHaveMade(other, node) && !isBelow(other, node, parents));
    if (parent !== undefined) parents.set(node, parent);
  };
  nodes.forEach((node, at) => void place(node, nodes.slice(0, at)));
  for (const node of nodes) if (!parents.has(node)) place(node, nodes); // calendars that differ show effects before causes
  for (const node of nodes) parents.get(node)?.below.push(node);
  return nodes.filter((node) => !parents.has(node));
}

function mayHaveMade({ call }: CallNode, { by, call: { startedAt } }: CallNode): boolean {
  const isAt = ({ address, startedMs, endedMs = call.time.totalMs }: ExplainedAttempt) => {
    const from = call.startedAt + startedMs - toleranceMs;
    const to = call.startedAt + endedMs + toleranceMs;
    return address === by.address && from <= startedAt && startedAt <= to;
  };
  return call.attempts.some(isAt);
}

/** Whether it is `node`, or was made on its behalf. */
function isBelow(other: CallNode, node: CallNode, parents: ReadonlyMap<CallNode, CallNode>): boolean {
  for (let at: CallNode | undefined = other; at !== undefined; at = parents.get(at)) if (at === node) return true;
  return false;
}
