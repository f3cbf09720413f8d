import { expect, test } from "vitest";
import type { ExplainedAttempt, ExplainedCall } from "../mesh/explained-call.ts";
import type { Made } from "./ask-calls.ts";
import { type CallNode, callTree } from "./call-tree.ts";

interface MadeInit {
  readonly by: string;
  readonly to: string;
  readonly from: number;
  readonly until: number;
}

/** A call of one attempt, from one "host:port" to another, between two instants. */
function made({ by, to, from, until }: MadeInit): Made<ExplainedCall> {
  const totalMs = until - from;
  const sent = { number: 1, kind: "first", name: "", address: to, startedMs: 0, endedMs: totalMs } as const;
  const picked = { outcome: "answered", among: 1, rule: "healthy", candidates: [], leftOut: [] } as const;
  const attempts: ExplainedAttempt[] = [{ ...sent, ...picked }];
  const time = { totalMs, beforeMs: 0, attemptsMs: totalMs, betweenMs: 0 };
  const call = { method: `to ${to}`, startedAt: from, outcome: "answered", time, attempts, decisions: [] };
  return { by: { name: by, address: by, admin: undefined }, call };
}

/** "gateway→order(order→user)". */
const drawn = (nodes: readonly CallNode[]): string =>
  nodes
    .map(({ by, call, below }) => {
      const inner = below.length === 0 ? "" : `(${drawn(below)})`;
      return `${by.name}→${call.attempts[0]?.address}${inner}`;
    })
    .join(" ");

test("a call stands below the one whose endpoint made it, each list in the order in which its calls began", () => {
  const calls = [
    made({ by: "order", to: "catalog", from: 1_040, until: 1_080 }),
    made({ by: "user", to: "mail", from: 1_015, until: 1_020 }),
    made({ by: "gateway", to: "order", from: 1_000, until: 1_100 }),
    made({ by: "order", to: "user", from: 1_010, until: 1_030 }),
  ];
  expect(drawn(callTree(calls))).toBe("gateway→order(order→user(user→mail) order→catalog)");
});

test("what was made while nobody asked for it stands by itself", () => {
  const calls = [
    made({ by: "gateway", to: "order", from: 1_000, until: 1_010 }),
    made({ by: "order", to: "user", from: 2_000, until: 2_010 }),
    made({ by: "gateway", to: "order", from: 3_000, until: 3_010 }),
  ];
  expect(drawn(callTree(calls))).toBe("gateway→order order→user gateway→order");
});

test("of two that might have made it the last to begin has", () => {
  const calls = [
    made({ by: "gateway", to: "order", from: 1_000, until: 1_100 }),
    made({ by: "gateway", to: "order", from: 1_050, until: 1_100 }),
    made({ by: "order", to: "user", from: 1_060, until: 1_070 }),
  ];
  expect(drawn(callTree(calls))).toBe("gateway→order gateway→order(order→user)");
});

test("calls in a circle stand in a line, with the first to begin on top", () => {
  const calls = [
    made({ by: "a", to: "b", from: 1_001, until: 1_100 }),
    made({ by: "b", to: "a", from: 1_002, until: 1_090 }),
  ];
  expect(drawn(callTree(calls))).toBe("a→b(b→a)");
  expect(drawn(callTree([made({ by: "a", to: "a", from: 1_000, until: 1_001 })]))).toBe("a→a");
});
